import Logging
import Synchronization

/// Performs what the state machine decides.
///
/// The only file here with tasks.
///
/// Actions are performed outside the lock, by whichever thread brought the event, and none of them waits: so no thread
/// can hold up another, also when it is stuck in code of the user. Two threads may therefore perform in the wrong order;
/// what a phase is told is made so that this does not show (``Phase``).
final class LifecycleDriver: Sendable {
  private struct State {
    var machine: LifecycleStateMachine
    var report: LifecycleReport?
    var isReportWritten = false
    var waiters: [CheckedContinuation<LifecycleReport, Never>] = []
  }

  private let state: Mutex<State>
  private let phases: [Phase]
  private let bodies: [Lifecycle.Body]
  private let environment: any LifecycleEnvironment
  private let log: LifecycleLog
  private let exiting: Bool

  init(
    _ machine: LifecycleStateMachine, bodies: [Lifecycle.Body], environment: any LifecycleEnvironment,
    log: LifecycleLog, exiting: Bool
  ) {
    state = Mutex(State(machine: machine))
    // All of them from the beginning: what is said to one must find it, whichever thread starts it.
    phases = machine.graph.nodes.map { Phase(name: $0.name, environment: environment) }
    self.bodies = bodies
    self.environment = environment
    self.log = log
    self.exiting = exiting
  }

  func run() async -> LifecycleReport {
    let report = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state in
          if state.report == nil { state.waiters.append(continuation) }
          return state.report
        }
        if let known { continuation.resume(returning: known) } else { receive(.run) }
      }
    } onCancel: {
      requestStop(StopRequest(who: .cancellation))
    }
    await log.flush()
    if exiting { leave(with: report, atOnce: false) }
    return report
  }

  func requestStop(_ request: StopRequest) {
    log.write(.notice, "stop requested", ["stop.who": "\(request.who)", "stop.why": request.why])
    receive(.stop(request))
  }

  private func receive(_ event: LifecycleStateMachine.Event) {
    // The time is read under the lock, so that it never runs backwards for the machine.
    let actions = state.withLock { $0.machine.receive(event, at: environment.now()) }
    for action in actions { perform(action) }
  }

  private func perform(_ action: LifecycleStateMachine.Action) {
    switch action {
    case .start(let id): start(id)
    case .hear(let id, let deadline): phases[id].hear(deadline: deadline)
    case .turn(let id, let deadline):
      say(.debug, "phase is told to stop", id)
      phases[id].takeTurn(deadline: deadline)
    case .cancel(let id, let deadline):
      say(.warning, "phase has not ended in time and is cancelled", id)
      cancel(phases[id].beCancelled(deadline: deadline))
    case .abandon(let id):
      say(.error, "phase has not ended in time and is abandoned", id)
    case .release(let id, let end):
      var metadata = ["phase.end": end.description]
      if let error = end.error { metadata["error"] = error }
      say(end.isFailed ? .error : .info, "phase ended", id, metadata)
    case .wake(let instant):
      environment.schedule(at: instant) { [weak self] in self?.receive(.wake) }
    case .finish(let report): finish(report)
    case .ignored(let reason): log.write(.debug, "ignored: \(reason)")
    }
  }

  private func start(_ id: Int) {
    say(.info, "phase starts", id)
    let (phase, body) = (phases[id], bodies[id])
    phase.whenReady { [weak self] in self?.becomeReady(id) }
    let task = Task.detached(priority: .medium) { [self] in
      do {
        try await Phase.at(Place(body: phase)) { try await body(phase) }
        receive(.ended(id, .returned))
      } catch is CancellationError {
        receive(.ended(id, .threwCancellation))
      } catch let cut as CutShort {
        receive(.ended(id, .cutShort(cut.reason)))
      } catch {
        receive(.ended(id, .threw("\(error)")))
      }
    }
    if phase.run(in: task) { cancel(task) }
  }

  private func becomeReady(_ id: Int) {
    say(.info, "phase is ready", id)
    receive(.ready(id))
  }

  /// To cancel a task runs its cancellation handlers here and now: not on a thread of the ladder.
  private func cancel(_ task: Task<Void, Never>?) {
    guard let task else { return }
    environment.perform { task.cancel() }
  }

  private func finish(_ report: LifecycleReport) {
    log.write(report.exitCode == 0 ? .notice : .error, report.summary)
    if exiting {
      // The caller of `run()` may never run again: every thread of the pool may be blocked.
      if report.isForced { leave(with: report, atOnce: true) }
      // And if everything ended well, but the caller does not come back or the exit itself is stuck.
      environment.schedule(at: environment.now() + max(report.grace - report.took, .zero)) { [self] in
        leave(with: report, atOnce: true)
      }
    }
    let waiters = state.withLock { state in
      state.report = report
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: report) }
  }

  private func leave(with report: LifecycleReport, atOnce: Bool) {
    let isWritten = state.withLock { state in
      defer { state.isReportWritten = true }
      return state.isReportWritten
    }
    if !isWritten { environment.write(report: report.text) }
    environment.exit(report.exitCode, atOnce: atOnce)
  }

  private func say(_ level: Logger.Level, _ message: String, _ id: Int, _ metadata: [String: String] = [:]) {
    log.write(level, message, metadata.merging(["phase.name": phases[id].name]) { $1 })
  }
}
