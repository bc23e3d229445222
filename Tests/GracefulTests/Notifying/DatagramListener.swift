import CGracefulSystem
import Synchronization

@testable import Graceful

/// A datagram socket in the place of systemd.
final class DatagramListener: Sendable {
  let descriptor: Int32
  private let heard = Mutex<[String]>([])

  struct Failure: Error { var result: Int32 }

  /// - Parameter address: A path, or `@` and a name.
  init(_ address: String) throws {
    descriptor = cgs_unix_datagram_socket()
    let bytes = address.hasPrefix("@") ? [0] + Array(address.utf8.dropFirst()) : Array(address.utf8)
    let result = bytes.withUnsafeBytes {
      cgs_unix_datagram_bind(descriptor, $0.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    guard result >= 0 else { throw Failure(result: result) }
  }

  deinit { _ = cgs_close(descriptor) }

  /// What is there now, and what was before.
  func all() -> [String] {
    var bytes = [UInt8](repeating: 0, count: 8192)
    heard.withLock { heard in
      while true {
        let count = cgs_read(descriptor, &bytes, bytes.count)
        guard count > 0 else { break }
        heard.append(String(decoding: bytes[..<count], as: UTF8.self))
      }
    }
    return heard.withLock { $0 }
  }

  /// Until it has heard a message with this in it.
  func hears(_ text: String, limit: Duration = .seconds(30)) async -> Bool {
    let until = ContinuousClock.now + limit
    while ContinuousClock.now < until {
      if all().contains(where: { $0.contains(text) }) { return true }
      await withCheckedContinuation { continuation in
        LiveEnvironment.shared.schedule(at: .now + .milliseconds(5)) { continuation.resume() }
      }
    }
    return false
  }
}
