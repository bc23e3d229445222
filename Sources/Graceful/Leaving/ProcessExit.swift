internal import CGracefulSystem
internal import GracefulShutdown
internal import GracefulSystem
internal import Synchronization

/// The exit of this process, which is that of every lifecycle in it: none ends the process while another one drains.
final class ProcessExit: Sendable {
  static let shared = ProcessExit()

  private struct State {
    var machine = ProcessExitStateMachine()
    var lifecycles: [Int: Lifecycle] = [:]
    var nextID = 0
  }

  private let state = Mutex(State())

  private init() {}

  /// It begins to run.
  func begin(_ lifecycle: Lifecycle) {
    perform { state in
      if Self.id(of: lifecycle, in: state) == nil {
        state.nextID += 1
        state.lifecycles[state.nextID] = lifecycle
      }
      return Self.id(of: lifecycle, in: state).map { state.machine.receive(.began($0)) } ?? []
    }
  }

  /// A call that ran it, and does not end the process, returns.
  func end(_ lifecycle: Lifecycle) {
    perform { state in
      guard let id = Self.id(of: lifecycle, in: state) else { return [] }
      defer { if !state.machine.isRunning(id) { state.lifecycles[id] = nil } }
      return state.machine.receive(.ended(id))
    }
  }

  /// It has ended, and the process exits: now, or, when another lifecycle runs, with the last of them.
  func leave(_ lifecycle: Lifecycle, _ code: Int32, atOnce: Bool) {
    perform { state in
      Self.id(of: lifecycle, in: state).map { state.machine.receive(.left($0, code: code, atOnce: atOnce)) }
        ?? [.exit(code: code, atOnce: atOnce)]
    }
  }

  func hasLeft(_ lifecycle: Lifecycle) -> Bool {
    state.withLock { state in Self.id(of: lifecycle, in: state).map { state.machine.hasLeft($0) } ?? false }
  }

  private static func id(of lifecycle: Lifecycle, in state: State) -> Int? {
    state.lifecycles.first { $0.value === lifecycle }?.key
  }

  private func perform(_ decide: (inout State) -> [ProcessExitStateMachine.Action]) {
    let (actions, lifecycles) = state.withLock { state in
      let actions = decide(&state)
      return (actions, state.lifecycles)
    }
    for action in actions {
      switch action {
      case .stop(let id):
        lifecycles[id]?.requestStop(StopRequest(why: "another lifecycle of this process has ended, and it exits"))
      case .wait(let ids): wait(for: ids.compactMap { lifecycles[$0] })
      case .linger: exit(after: .milliseconds(250))
      case .exit(let code, let atOnce):
        if atOnce { cgs_exit_now(code) }
        cgs_exit(code)
      }
    }
  }

  /// Each of them has its grace, and ends by itself within that, unless every thread of the pool is blocked.
  private func wait(for others: [Lifecycle]) {
    let environment = LiveEnvironment.shared
    let longest = others.map { environment.settings.setting($0.grace).duration }.max() ?? .zero
    let names = others.map { TerminalText($0.name, columns: 40).string }.joined(separator: ", ")
    // By a thread of its own: standard error may be a pipe that is full.
    SystemThread.startOrTask("graceful-report") {
      let line = Array("graceful: the process exits when \(names) has ended, too, within \(longest.brief)\n".utf8)
      _ = cgs_write(2, line, line.count)
    }
    exit(after: longest + .seconds(1))
  }

  private func exit(after time: Duration) {
    LiveEnvironment.shared.schedule(at: .now + time) { [self] in perform { $0.machine.receive(.overdue) } }
  }
}
