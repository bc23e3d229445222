internal import CGracefulSystem

/// A thread for one piece of work, which may block it.
enum WorkerThread {
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    // The system has no thread left; the pool has its own since long.
    if !startIfThereIsOne(name, body) { Task.detached { body() } }
  }

  /// - Returns: Whether the system had a thread for it; otherwise nothing is called.
  static func startIfThereIsOne(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    let context = Unmanaged.passRetained(Work(body))
    let started = cgs_thread_start(
      name,
      { context in
        guard let context else { return }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
      }, context.toOpaque())
    if started < 0 { context.release() }
    return started >= 0
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
