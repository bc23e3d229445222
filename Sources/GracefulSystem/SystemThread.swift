internal import CGracefulSystem

/// A thread of the system for one piece of work, which may block it.
///
/// It is detached, belongs to no pool, and has every signal blocked, so that no handler ever runs on it.
package enum SystemThread {
  /// - Parameter name: What debuggers and `ps -L` show; the system keeps 15 bytes of it.
  /// - Throws: `EAGAIN` when the system has no thread left; then nothing is called.
  package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
    let context = Unmanaged.passRetained(Work(body))
    let result = cgs_thread_start(
      name,
      { context in
        guard let context else { return }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
      }, context.toOpaque())
    guard result < 0 else { return }
    context.release()
    throw SystemError("pthread_create", on: "thread \(name)", result: result)
  }

  /// The same; where the system has no thread left, a task of the pool does it, which has its own since long.
  package static func startOrTask(_ name: String, _ body: @escaping @Sendable () -> Void) {
    do throws(SystemError) { try start(name, body) } catch { Task.detached { body() } }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
