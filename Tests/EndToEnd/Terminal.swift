import CGracefulSystem
import Foundation
import GracefulDescriptors
import Synchronization

/// A pseudo-terminal: what is written to it is kept, and what a person would type is typed here.
final class Terminal: Sendable {
  private let controller: CInt
  /// For the process that has it as its terminal.
  let terminal: CInt
  private let seen = Mutex("")

  init() throws {
    var ends: [CInt] = [-1, -1]
    let result = cgs_open_terminal(&ends)
    guard result >= 0 else { throw SystemError("posix_openpt", on: "a terminal", result: result) }
    (controller, terminal) = (ends[0], ends[1])
    _ = cgs_set_nonblocking(controller)
  }

  deinit {
    _ = cgs_close(controller)
    _ = cgs_close(terminal)
  }

  func type(_ text: String) {
    var text = text
    text.withUTF8 { _ = cgs_write(controller, $0.baseAddress, $0.count) }
  }

  /// All that has been written so far.
  var text: String {
    var bytes = [UInt8](repeating: 0, count: 65536)
    return seen.withLock { seen in
      while true {
        let count = cgs_read(controller, &bytes, bytes.count)
        guard count > 0 else { return seen }
        seen += String(decoding: bytes[..<Int(count)], as: UTF8.self)
      }
    }
  }
}
