internal import GracefulShutdown
internal import ServiceLifecycleTestKit

/// The one place that makes code written for swift-service-lifecycle hear a phase.
///
/// What `withGracefulShutdownHandler` and its friends look for is a task-local manager that only its own `ServiceGroup`
/// and its TestKit can bind. Both were measured with 2.13.0 (release build, two cores, median of seven runs, 10,000
/// services, each in a task of its own that waits in one handler; that task alone: 1 task, 1.5 KB, 3 µs):
///
/// |                                   | a group each     | TestKit          |
/// |-----------------------------------|------------------|------------------|
/// | tasks                             | 7, of which 5 stay | 1              |
/// | resident memory                   | 24.3 KB          | 2.7 KB           |
/// | to start                          | 28 µs            | 2.5 µs           |
/// | to stop, all of them, each        | 26 µs            | 25 µs            |
/// | hears the stop of an outer group  | at once, before its turn | no       |
/// | pulled                            | by an actor's `await` | from any thread, also before anybody listens |
///
/// So it is TestKit, whatever its name says: a public product, `import ServiceLifecycle` and nothing else. With 100
/// services the picture is the same (27 and 6.6 KB); a single one costs nothing that could be measured, either way. Around
/// every phase it adds 1.3 KB to the 4 KB of a phase, and to the time of starting and stopping 10,000 of them in a chain
/// nothing that shows beside the noise, since one thread of the environment pulls for many (``BlockingCallPool``); a thread for each
/// made the stop two to three times as long.
///
/// To pull runs the handlers on the puller's thread, under the lock of the manager, and they may block: so a thread pulls
/// that belongs to no task and that may be blocked. Pulled from a task that carries the same manager, a handler that reads
/// `Task.isShuttingDownGracefully` would lock itself out for ever (tried). What cannot be mended from here: a handler
/// that is registered when the pull has been made runs at once, under that lock, on the task that registers it; reading
/// the flag in *that* one locks itself out, here as in a `ServiceGroup`.
enum ForeignSwitch {
  /// Calls `body`; inside, the stop comes at this moment of the phase, and from nowhere else.
  ///
  /// Returns when no handler is running any more.
  static func run<Result: Sendable>(
    in phase: Phase, pulledAt moment: Phase.Moment, _ body: @Sendable () async throws -> Result
  ) async rethrows -> Result {
    try await testGracefulShutdown { trigger in
      let pull = phase.register(at: moment) { trigger.triggerGracefulShutdown() }
      do {
        let result = try await body()
        await pull.leave()
        return result
      } catch {
        await pull.leave()
        throw error
      }
    }
  }
}
