internal import GracefulSystem

/// A thread for one piece of work, which may block it.
enum WorkerThread {
  static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    // The system has no thread left; the pool has its own since long.
    if !startIfThereIsOne(name, body) { Task.detached { body() } }
  }

  /// - Returns: Whether the system had a thread for it; otherwise nothing is called.
  static func startIfThereIsOne(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
    do {
      try SystemThread.start(name, body)
      return true
    } catch {
      return false
    }
  }
}
