/// How a stop ended.
public enum StopOutcome: String, Hashable, Sendable, Codable {
  /// The process has ended with code 0, in time.
  case stopped
  /// It has ended otherwise.
  case failed
  /// It had not ended in time.
  case gaveUp
}

/// One stop, from its request until the process is gone, or until the rehearsal waits for that no more.
///
/// A command that asks for the stop may be over long before the server, or wait for its end. The next server must not
/// meet a command that still looks for the one before, so the stop is over when both are.
package struct StopStateMachine: Equatable, Sendable {
  package enum Event: Hashable, Sendable {
    /// With what a shell would show; `nil` where that is not known.
    case ended(Int32, code: Int32?)
    /// The stop has taken too long.
    case limit
    /// Whether the server still answers after the limit.
    case probed(answers: Bool)
  }

  package enum Action: Hashable, Sendable {
    case kill(Int32)
    /// Look whether the server still answers.
    case probe
    case finish(Finish)
  }

  package struct Finish: Hashable, Sendable {
    package var outcome: StopOutcome
    /// How the server ended, where that is known.
    package var code: Int32?
    /// How the command ended.
    package var commandCode: Int32?
    /// Whether there is no server any more.
    package var isGone: Bool
  }

  /// A process that is waited for.
  enum Waited: Equatable, Sendable {
    case running(Int32)
    case ended(code: Int32?)

    var isRunning: Bool {
      switch self {
      case .running: true
      case .ended: false
      }
    }

    var code: Int32? {
      switch self {
      case .running: nil
      case .ended(let code): code
      }
    }
  }

  enum State: Equatable, Sendable {
    case asked
    /// The limit has come, and it is not known yet whether the server heard at all.
    case probing
    /// What was waited for too long is killed.
    case killed
    case over
  }

  private(set) var state = State.asked
  private var server: Waited
  private var command: Waited?
  /// Whether the server was there at the limit.
  private var wasLate = false

  package init(server: Int32, command: Int32?) {
    self.server = .running(server)
    self.command = command.map { .running($0) }
  }

  package mutating func receive(_ event: Event) -> [Action] {
    switch (state, event) {
    case (.asked, .ended(let pid, let code)), (.killed, .ended(let pid, let code)):
      note(pid, code)
      return finishIfOver()
    case (.asked, .limit):
      let command = killCommand()
      wasLate = server.isRunning
      state = wasLate ? .probing : .killed
      return wasLate ? command + [.probe] : command
    case (.probing, .ended(let pid, let code)):
      note(pid, code)
      return []
    case (.probing, .probed(let answers)):
      guard case .running(let pid) = server else {
        // It has ended between the limit and the look.
        state = .killed
        return finishIfOver()
      }
      // A server that answers has not stopped, and is rehearsed on; a silent server is only in the way.
      if answers { return finish(isGone: false) }
      state = .killed
      return [.kill(pid)]

    // The director does not look before the limit, or twice.
    case (.asked, .probed), (.killed, .probed): return []
    // There is one limit.
    case (.probing, .limit), (.killed, .limit): return []
    case (.over, .ended), (.over, .limit), (.over, .probed): return []
    }
  }

  private mutating func note(_ pid: Int32, _ code: Int32?) {
    if server == .running(pid) { server = .ended(code: code) }
    if command == .running(pid) { command = .ended(code: code) }
  }

  private func killCommand() -> [Action] {
    guard case .running(let pid) = command else { return [] }
    return [.kill(pid)]
  }

  private mutating func finishIfOver() -> [Action] {
    guard !server.isRunning, command?.isRunning != true else { return [] }
    return finish(isGone: true)
  }

  private mutating func finish(isGone: Bool) -> [Action] {
    state = .over
    let outcome: StopOutcome = wasLate ? .gaveUp : server.code == 0 ? .stopped : .failed
    return [
      .finish(Finish(outcome: outcome, code: server.code, commandCode: command?.code, isGone: isGone))
    ]
  }
}
