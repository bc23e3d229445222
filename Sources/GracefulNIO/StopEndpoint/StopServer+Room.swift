import GracefulDescriptors
import SystemPackage

extension StopServer {
  /// Tells whether there are enough descriptors: they are had, and let go again.
  ///
  /// An event loop traps when it cannot have its three (epoll, an eventfd, a timerfd); the listener has one of its own,
  /// a connection needs one, and so does the removal of the path in the end (for its lock).
  static func lookForRoom() throws(SystemError) {
    var room: [FileDescriptor] = []
    defer { for descriptor in room { try? descriptor.close() } }
    for _ in 0..<6 {
      do {
        room.append(try .open("/dev/null", .readOnly, options: .closeOnExec))
      } catch {
        throw SystemError(
          operation: "open", subject: "/dev/null", errno: error as? Errno ?? .tooManyOpenFiles,
          advice: "an HTTP server needs six descriptors beside its socket")
      }
    }
  }
}
