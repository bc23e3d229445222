internal import CGracefulSystem
internal import GracefulDescriptors
internal import GracefulShutdown
internal import GracefulSystem

/// The live environment of every lifecycle of this process: it needs no thread of the cooperative pool (S9).
package struct LiveEnvironment: LifecycleEnvironment {
  package static let shared = LiveEnvironment()

  /// `nil` when there was no descriptor or no thread for it; then each timer is a thread, or, when even that cannot be
  /// had, a task.
  private let loop: PollLoop?
  /// Performs what lifecycles have decided; `nil` when there was no descriptor or no thread for it, and then the thread that
  /// brings an event does.
  private let decisions: PollLoop?
  private let handlers: BlockingCallPool
  private let cancellers: BlockingCallPool
  private let loggers: BlockingCallPool
  private let observers: BlockingCallPool
  /// Asked for before anything runs: at the end another thread may be changing the environment (getenv(3)).
  private let file = ReportFile.named()
  package let settings = OutsideSettings.live
  /// Whose end is that of the process.
  private var exiting: Lifecycle?

  private init() {
    let loop = try? PollLoop(name: "graceful-timers")
    self.loop = loop
    decisions = try? PollLoop(name: "graceful-decide")
    handlers = BlockingCallPool { Self.schedule(on: loop, at: $0, $1) }
    cancellers = BlockingCallPool { Self.schedule(on: loop, at: $0, $1) }
    loggers = BlockingCallPool { Self.schedule(on: loop, at: $0, $1) }
    observers = BlockingCallPool { Self.schedule(on: loop, at: $0, $1) }
  }

  /// The same for a lifecycle whose end is that of the process.
  func ending(with lifecycle: Lifecycle) -> LiveEnvironment {
    var environment = self
    environment.exiting = lifecycle
    return environment
  }

  package func now() -> ContinuousClock.Instant { .now }

  package func wallTime() -> UTCTime { UTCTime(milliseconds: cgs_wall_milliseconds()) }

  package var processID: Int32 { cgs_process_id() }

  package func schedule(at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void) {
    Self.schedule(on: loop, at: instant, body)
  }

  private static func schedule(
    on loop: PollLoop?, at instant: ContinuousClock.Instant, _ body: @escaping @Sendable () -> Void
  ) {
    if let loop {
      _ = loop.schedule(at: instant, body)
      return
    }
    SystemThread.startOrTask("graceful-timer") {
      // A signal ends a pause early (poll(2)).
      while .now < instant { PollTimeout.pause(instant - .now) }
      body()
    }
  }

  package func performDecisions(_ body: @escaping @Sendable () -> Void) {
    if let decisions { decisions.execute(body) } else { body() }
  }

  package func perform(_ body: @escaping @Sendable () -> Void) { handlers.perform(body) }

  package func performCancellation(_ body: @escaping @Sendable () -> Void) { cancellers.perform(body) }

  package func performLogging(_ body: @escaping @Sendable () -> Void) { loggers.perform(body) }

  package func performObservation(_ body: @escaping @Sendable () -> Void) { observers.perform(body) }

  package func wait(atMost limit: Duration, until isDone: () -> Bool) {
    let until = ContinuousClock.now + limit
    // Looked at again and again: it is a matter of a few milliseconds, once, and needs no descriptor.
    while !isDone(), .now < until { PollTimeout.pause(.milliseconds(1)) }
  }

  package func surround<Result: Sendable>(
    _ phase: Phase, _ body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await GracefulShutdownBridge.run(in: phase, at: .drain, body)
  }

  package func write(report: LifecycleReport, exitHooks: [ExitHook] = []) {
    ExitReportWriter.write(
      report, to: 2, file: file?.keep, exitHooks: exitHooks,
      within: ExitReportWriter.limit(for: report, withFile: file != nil))
  }

  /// So that the report of an earlier run is not taken for that of this one.
  ///
  /// - Returns: What went wrong.
  func emptyOldReport() -> String? {
    guard let file else { return nil }
    return ExitReportWriter.ask(within: .milliseconds(300)) { file.empty() }
  }

  package func write(report: LifecycleReport, exitHooks: [ExitHook], by deadline: ContinuousClock.Instant) {
    ExitReportWriter.write(
      report, to: 2, file: file?.keep, exitHooks: exitHooks,
      within: ExitReportWriter.limit(for: report, withFile: file != nil), by: deadline)
  }

  package func exit(_ code: Int32, atOnce: Bool) {
    if let exiting { return ProcessExit.shared.leave(exiting, code, atOnce: atOnce) }
    if atOnce { cgs_exit_now(code) }
    cgs_exit(code)
  }
}
