internal import CGracefulSystem

/// A thread for one piece of work, which may block it.
enum LadderThread {
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let context = Unmanaged.passRetained(Work(body))
    let started = cgs_thread_start(
      name,
      { context in
        guard let context else { return }
        Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
      }, context.toOpaque())
    guard started < 0 else { return }
    context.release()
    // The system has no thread left; the pool has its own since long.
    Task.detached { body() }
  }

  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
}
