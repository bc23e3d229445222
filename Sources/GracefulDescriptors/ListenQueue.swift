internal import CGracefulSystem
package import GracefulSystem
internal import SystemPackage

/// The queue of a listening TCP socket in the moments before it is closed for good.
///
/// A listener that is closed resets every connection that waits in its queue, although its client has its connection and
/// may have sent a request. To accept until none waits is not enough: the next one may come before the close. So no new
/// connection is let in first; those whose handshake has begun still arrive. When none waits any more, it is closed.
///
/// A client that is not let in tries again after a second, and is refused then, or served by another listener. Where another
/// process may have the socket too (a supervisor, a predecessor), connections are let in again before this copy is closed:
/// that process would never hear of one otherwise.
package struct ListenQueue: ~Copyable, Sendable {
  private let listener: OwnedDescriptor
  private let mayBeShared: Bool

  /// Takes a copy of a listener, which is closed with this value, last.
  /// - Parameter mayBeShared: Whether another process may have the socket, and is to hear of connections afterwards.
  package init(of number: Int32, mayBeShared: Bool) throws(SystemError) {
    let result = cgs_duplicate(number)
    guard result >= 0 else { throw SystemError("fcntl(F_DUPFD_CLOEXEC)", on: "descriptor \(number)", result: result) }
    listener = OwnedDescriptor(adopting: FileDescriptor(rawValue: result))
    self.mayBeShared = mayBeShared
  }

  deinit {
    // The one moment in which a connection may still come and be lost: between this call and the next.
    if mayBeShared { Self.letIn(at: listener.number) }
  }

  /// From now on no connection begins.
  ///
  /// Where the system has no such thing (only Linux has), connections go on to come.
  package func holdOff() { _ = cgs_hold_off(listener.number) }

  /// Lets connections begin again at a listener, whichever process kept them away.
  package static func letIn(at number: Int32) { _ = cgs_let_in(number) }

  /// Whether a connection waits to be accepted, as far as can be known where other processes accept there, too.
  package static func hasWaiting(_ number: Int32) -> Bool { cgs_has_waiting(number) == 1 }

  /// Whether no connection waits to be accepted.
  package var isEmpty: Bool { cgs_has_waiting(listener.number) == 0 }
}
