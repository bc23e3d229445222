import TestHost
import CGracefulSystem
import GracefulDescriptors
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

/// A frame connection on a loop, and the bare other end of its socket.
final class ConnectedPair: Sendable {
  let loop: PollLoop
  let ledger = DescriptorLedger()
  var other: SharedDescriptor { held.withLock { $0 } ?? closed }
  private let held: Mutex<SharedDescriptor?>
  private let closed = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: -1)))
  private let log = Mutex<[FrameConnection.Event]>([])
  private let connection = Mutex<FrameConnection?>(nil)

  var events: [FrameConnection.Event] { log.withLock { $0 } }

  init(_ change: (inout SocketCalls) -> Void = { _ in }) async throws {
    loop = try PollLoop(name: "pair")
    var ends: [Int32] = [-1, -1]
    let result = cgs_unix_pair(&ends)
    guard result >= 0 else { throw Errno(rawValue: -result) }
    held = Mutex(SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: ends[1]))))
    let socket = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: ends[0])))
    ledger.note(ends[0])
    var calls = SocketCalls.live
    change(&calls)
    let new = FrameConnection(
      socket, peer: Peer(process: 0, user: 0), loop: loop, calls: ledger.wrapping(calls)
    ) { [weak self] event in self?.log.withLock { $0.append(event) } }
    connection.withLock { $0 = new }
    await onLoop { $0.start() }
  }

  /// Does something with the connection where that is allowed.
  @discardableResult
  func onLoop<Result: Sendable>(_ body: @escaping @Sendable (FrameConnection) -> Result) async -> Result? {
    guard let held = connection.withLock({ $0 }) else { return nil }
    return await withCheckedContinuation { done in
      loop.execute { done.resume(returning: body(held)) }
    }
  }

  /// Closes the bare end.
  func endOther() { held.withLock { $0 = nil } }

  /// After this every descriptor that the connection had must be closed.
  func end() async {
    log.withLock { $0 = [] }
    await onLoop { $0.close() }
    connection.withLock { $0 = nil }
    await ledger.expectAllClosed()
    loop.stop()
  }

  /// Writes to the other end all that is given, or fails.
  func write(_ bytes: [UInt8], _ descriptors: [Int32] = []) async throws {
    var rest = bytes[...]
    var descriptors = descriptors
    try await poll {
      let sent = SocketCalls.live.send(other.number, rest, descriptors)
      if sent < 0 {
        guard sent == -Int(Errno.wouldBlock.rawValue) else { throw Errno(rawValue: CInt(-sent)) }
        return false
      }
      descriptors = []
      rest = rest.dropFirst(sent)
      return rest.isEmpty
    }
  }

  var frames: [(frame: Frame, descriptors: [SharedDescriptor])] {
    events.compactMap { if case .frame(let frame, let descriptors) = $0 { (frame, descriptors) } else { nil } }
  }
  var reasons: [String] { events.compactMap { if case .malformed(let reason) = $0 { reason } else { nil } } }
  var hasEnded: Bool { events.contains { if case .closed = $0 { true } else { false } } }
}

/// Pipes whose read ends can be told apart.
final class Pipes: Sendable {
  let readers: [SharedDescriptor]
  private let writers: [SharedDescriptor]

  init(_ count: Int) throws {
    var readers: [SharedDescriptor] = []
    var writers: [SharedDescriptor] = []
    for _ in 0..<count {
      let (reader, writer) = try FileDescriptor.pipe()
      readers.append(SharedDescriptor(OwnedDescriptor(adopting: reader)))
      writers.append(SharedDescriptor(OwnedDescriptor(adopting: writer)))
    }
    self.readers = readers
    self.writers = writers
  }

  /// `count` of them, in turn.
  func inTurn(_ count: Int) -> [SharedDescriptor] { (0..<count).map { readers[$0 % readers.count] } }

  static func inode(_ descriptor: SharedDescriptor) -> UInt64? {
    try? SocketCalls.live.descriptorStatus(descriptor.number).get().inode
  }
}
