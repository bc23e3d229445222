internal import CGracefulSystem
internal import GracefulSystem

/// Descriptors that other code has made, and that a child process of the program must not inherit: a child of another user
/// would hold a live connection, and a client would wait for its end when this process has gone.
package enum CloseOnExec {
  /// A child process that is started from now on does not get it.
  package static func set(_ number: Int32) { _ = cgs_close_on_exec(number) }

  /// The same for the polls of this process, which NIO makes without it (epoll_create(2)): what they watch would be kept
  /// from being closed.
  ///
  /// A poll says in `/proc` what it watches; where there is no such directory, nothing happens.
  package static func setOnPolls() {
    for number in numbers where isPoll(number) { set(number) }
  }

  private static var numbers: [Int32] {
    var room = 1024
    while true {
      let numbers = [Int32](unsafeUninitializedCapacity: room) { buffer, count in
        count = Int(max(0, cgs_descriptors(buffer.baseAddress, room)))
      }
      if numbers.count < room { return numbers }
      room *= 4
    }
  }

  private static func isPoll(_ number: Int32) -> Bool {
    guard let text = FileBeginning.read("/proc/self/fdinfo/\(number)") else { return false }
    return text.split(separator: UInt8(ascii: "\n")).contains { $0.starts(with: "tfd:".utf8) }
  }
}
