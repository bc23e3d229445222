/// Something wrong with a lifecycle as it was written down: nothing is started, and the exit code is 78.
///
/// All of them are collected and reported together, so that they can be corrected together.
public struct ConfigurationMistake: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    case duplicateName(String)
    case emptyName
    case runInside(phase: String)
    case unknownRequirement(phase: String, requires: String)
    case cycle([String])
    case graceNotPositive(Duration)
    case limitNotPositive(phase: String, Duration)
    case startLimitNotPositive(phase: String, Duration)
    case triggerCannotListen(trigger: String, reason: String)
    case lifecycleTaken(phase: String, lifecycle: String)
    case environment(variable: String, value: String, reason: String)
  }

  package let kind: Kind

  package init(kind: Kind) { self.kind = kind }

  /// A trigger that was asked for and cannot listen.
  package init(trigger: String, reason: String) {
    kind = .triggerCannotListen(trigger: trigger, reason: reason)
  }

  /// What is wrong, and what to do about it, in one sentence.
  public var description: String {
    switch kind {
    case .duplicateName(let name):
      "two phases are called \"\(name)\"; give each a name of its own"
    case .emptyName:
      "a phase has an empty name; give it one by which it can be found in the report"
    case .runInside(let phase):
      "phase \"\(phase)\" called run() of the lifecycle that it is part of, and that cannot end before it does; call run()"
        + " outside, and Phase.requestStop() or Lifecycle.requestStop(_:) inside"
    case .unknownRequirement(let phase, let requirement):
      "phase \"\(phase)\" requires \"\(requirement)\", which is not a phase of this lifecycle; add it or correct the name"
    case .cycle(let path):
      "phases require each other in a circle: \(path.joined(separator: " → ")); take one requirement away"
    case .graceNotPositive(let grace):
      "the grace is \(grace); it must be longer than zero"
    case .limitNotPositive(let phase, let limit):
      "the limit of phase \"\(phase)\" is \(limit); it must be longer than zero, or left out"
    case .startLimitNotPositive(let phase, let limit):
      "the start limit of phase \"\(phase)\" is \(limit); it must be longer than zero, or left out"
    case .triggerCannotListen(let trigger, let reason):
      "trigger \(trigger): \(reason)"
    case .lifecycleTaken(let phase, let lifecycle):
      "phase \"\(phase)\" holds the lifecycle \"\(lifecycle)\", which runs once only: with that phase, in no other one, not"
        + " by itself, and never inside itself"
    case .environment(let variable, let value, let reason):
      "the environment variable \(variable) is \"\(value)\"; \(reason), or not be set"
    }
  }
}
