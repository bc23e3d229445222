internal import CGracefulSystem
public import GracefulSystem
public import SystemPackage

/// A file descriptor with exactly one owner, closed exactly once.
///
/// It cannot be copied. Its last holder closes it: at the end of its scope, by ``close()``, or not at all when
/// ``release()`` has given it to an owner outside Swift's sight (an event loop, for example).
public struct OwnedDescriptor: ~Copyable, Sendable {
  /// The descriptor, for a call that only borrows it.
  ///
  /// Closing it through this value is a mistake.
  public let borrowed: FileDescriptor

  /// The number that system calls take.
  package var number: Int32 { borrowed.rawValue }

  /// Takes ownership of a descriptor that no other code closes.
  public init(adopting descriptor: FileDescriptor) {
    self.borrowed = descriptor
  }

  deinit {
    // Nothing can be done about an error here: Linux has released the number even after EINTR (close(2)).
    _ = cgs_close(number)
  }

  /// Closes it now.
  public consuming func close() {}

  /// Gives the number away; from now on the caller must see to its closing.
  public consuming func release() -> FileDescriptor {
    let descriptor = borrowed
    discard self
    return descriptor
  }

  /// A second descriptor of the same open file, closed on exec.
  ///
  /// Both share the file's status flags: `O_NONBLOCK` set or cleared on one is so on the other.
  /// - Throws: `EMFILE` when the process has no descriptor left.
  public borrowing func duplicate() throws(SystemError) -> OwnedDescriptor {
    let result = cgs_duplicate(number)
    guard result >= 0 else {
      throw SystemError("fcntl(F_DUPFD_CLOEXEC)", on: "descriptor \(number)", result: result)
    }
    return OwnedDescriptor(adopting: FileDescriptor(rawValue: result))
  }
}
