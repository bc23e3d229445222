import Synchronization

// Stands in for what is being made on main; goes with the next merge.

extension Phase {
  public enum Moment: Int, Sendable, Hashable { case stopRequested, drain, turn, cancelled }

  @TaskLocal public static var current: Phase?

  package func register(at moment: Moment, _ handler: @escaping @Sendable () -> Void) -> HandlerRegistration {
    HandlerRegistration(
      Task.detached { [self] in
        if moment == .stopRequested { await stopRequested() } else { await turnToStop() }
        guard !Task.isCancelled else { return }
        handler()
      })
  }
}

package struct HandlerRegistration: Sendable {
  let task: Task<Void, Never>
  init(_ task: Task<Void, Never>) { self.task = task }
  package func leave() async {
    task.cancel()
    await task.value
  }
}

extension LifecycleEnvironment {
  package func surround(_ phase: Phase, _ body: @escaping @Sendable () async throws -> Void) async throws {
    try await body()
  }
}

extension Phase {
  public func withHandler<R: Sendable>(
    at moment: Moment, _ handler: @escaping @Sendable () -> Void, operation: () async throws -> R
  ) async rethrows -> R {
    let registration = register(at: moment, handler)
    do {
      let result = try await operation()
      await registration.leave()
      return result
    } catch {
      await registration.leave()
      throw error
    }
  }
}
