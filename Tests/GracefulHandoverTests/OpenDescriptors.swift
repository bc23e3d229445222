import GracefulDescriptors
import Synchronization
import TestHost
import Testing

import class Foundation.FileManager

/// Every descriptor that came into this process through the seam, and which of them are still open.
///
/// Other suites run beside this one and open what they need, so all descriptors of the process cannot be counted; but a
/// number together with what it stands for (`socket:[INODE]`) belongs to one suite alone.
final class DescriptorLedger: Sendable {
  private let seen = Mutex<[Int32: String]>([:])

  /// What was recorded and is open now.
  var open: [String] {
    seen.withLock { $0 }.compactMap { number, target in
      Self.target(of: number) == target ? "\(number) \(target)" : nil
    }
  }

  /// How many came.
  var count: Int { seen.withLock { $0.count } }

  func note(_ number: Int32) {
    guard number >= 0, let target = Self.target(of: number) else { return }
    seen.withLock { $0[number] = target }
  }

  func wrapping(_ real: SocketCalls) -> SocketCalls {
    var calls = real
    calls.receive = { [self] descriptor, count in
      let received = real.receive(descriptor, count)
      received.descriptors.forEach(note)
      return received
    }
    calls.accept = { [self] in noted(real.accept($0)) }
    calls.unixSocket = { [self] in noted(real.unixSocket()) }
    calls.peerProcess = { [self] in noted(real.peerProcess($0)) }
    calls.openPrivate = { [self] in noted(real.openPrivate($0)) }
    calls.openPath = { [self] in noted(real.openPath($0)) }
    calls.listenTCP = { [self] in noted(real.listenTCP($0, $1)) }
    return calls
  }

  /// Expects everything to be closed in the end; the loop's thread may take a moment.
  func expectAllClosed(limit: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation) async {
    // Looked at once a round: a number may have become another pidfd by the next look, and those are all called alike.
    var left = open
    await eventually(within: limit) {
      left = open
      return left.isEmpty
    }
    #expect(left.isEmpty, "leaked", sourceLocation: sourceLocation)
  }

  private func noted(_ number: Int32) -> Int32 {
    note(number)
    return number
  }

  private static func target(of number: Int32) -> String? {
    try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
  }
}
