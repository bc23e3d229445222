internal import GracefulShutdown
@_spi(TestKit) internal import ServiceLifecycle

/// The one place that makes code written for swift-service-lifecycle hear a phase.
///
/// `withGracefulShutdownHandler` and its friends look for a task-local manager. ServiceLifecycle lets two callers bind
/// one: its `ServiceGroup`, and the functions that it opens to its TestKit (`@_spi(TestKit)`). Both were measured with
/// 2.13.0 (release build, two cores, median of seven runs, 10,000 services, each in a task of its own that waits in one
/// handler; that task alone: 1 task, 1.5 KB, 3 µs):
///
/// |                                   | a group each     | a manager each   |
/// |-----------------------------------|------------------|------------------|
/// | tasks                             | 7, of which 5 stay | 1              |
/// | resident memory                   | 24.3 KB          | 2.7 KB           |
/// | to start                          | 28 µs            | 2.5 µs           |
/// | to stop, all of them, each        | 26 µs            | 25 µs            |
/// | hears the stop of an outer group  | at once, before its turn | no       |
/// | triggered                         | by an actor's `await` | from any thread, also before a handler is registered |
///
/// A group cannot keep the promises: with every thread of the pool blocked it calls no handler (trap 12), and a child
/// phase in each of 100,000 tasks would have seven. So the manager is bound here, with the two declarations of the
/// ServiceLifecycle module itself that its TestKit wraps (`TaskLocals`, `GracefulShutdownManager`); the TestKit module
/// is not linked. They are the same since 2.0 of 2023, but carry no promise of semantic versioning: a release of
/// swift-service-lifecycle that renames them must be followed in this file, and only here.
///
/// A manager around every phase adds 1.3 KB to the 4 KB of a phase, and nothing that shows beside the noise to the time
/// of starting and stopping 10,000 of them in a chain, since one thread triggers for many; a thread for each made the
/// stop two to three times as long.
///
/// `shutdownGracefully()` runs the handlers on its caller's thread, under the lock of the manager, and handlers may
/// block: so it is called on a thread that belongs to no task and that may be blocked. Called from a task that carries
/// the same manager, a handler that reads `Task.isShuttingDownGracefully` would lock itself out for ever (tried). What
/// cannot be mended from here: a handler that is registered after the trigger runs at once, under that lock, on the
/// task that registers it; reading the flag in *that* one locks itself out, here as in a `ServiceGroup`.
enum GracefulShutdownBridge {
  /// Calls `body`; inside, the graceful shutdown comes at this moment of the phase, and from nowhere else.
  ///
  /// It returns when no handler is running any more.
  static func run<Result: Sendable>(
    in phase: Phase, at moment: Phase.Moment, _ body: @Sendable () async throws -> Result
  ) async rethrows -> Result {
    let manager = GracefulShutdownManager()
    return try await TaskLocals.$gracefulShutdownManager.withValue(manager) {
      let registration = phase.register(at: moment) { manager.shutdownGracefully() }
      do {
        let result = try await body()
        await registration.leave()
        return result
      } catch {
        await registration.leave()
        throw error
      }
    }
  }
}
