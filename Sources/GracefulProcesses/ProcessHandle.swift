internal import CGracefulSystem
internal import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// A pidfd (pidfd_open(2)): it stands for one process for ever, whichever process gets its number afterwards.
///
/// A signal and the closing exclude each other, so that a signal never goes to a descriptor number that has become
/// something else.
final class ProcessHandle: Sendable {
  private struct Held: ~Copyable {
    var descriptor: OwnedDescriptor?
  }

  private let held: Mutex<Held>
  /// For `poll`, until ``close()``.
  let number: CInt

  init(adopting descriptor: consuming OwnedDescriptor) {
    number = descriptor.borrowed.rawValue
    held = Mutex(Held(descriptor: consume descriptor))
  }

  /// - Throws: `ESRCH` when there is no such process any more.
  static func open(_ id: ProcessID) throws(SystemError) -> ProcessHandle {
    let number = cgs_pidfd_open(id.rawValue)
    guard number >= 0 else { throw SystemError("pidfd_open", on: "process \(id)", result: number) }
    return ProcessHandle(adopting: OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
  }

  /// - Returns: Whether it was delivered: `false` when the process has ended.
  func signal(_ signal: Int32) -> Bool {
    held.withLock { held in
      switch held.descriptor {
      case .some(let descriptor): cgs_pidfd_signal(descriptor.borrowed.rawValue, signal) >= 0
      case .none: false
      }
    }
  }

  func close() {
    held.withLock { held in held.descriptor = nil }
  }
}
