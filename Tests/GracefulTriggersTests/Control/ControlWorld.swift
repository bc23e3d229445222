import Exploration

@testable import GracefulTriggers

/// A control socket's machine, what was told to it, and what must be true of its answers.
struct ControlWorld: ExploredWorld {
  typealias Machine = ControlStateMachine
  typealias ID = Machine.ConnectionID

  static let now = ContinuousClock.now
  static let limits = ControlLimits()
  static let a = ID(1)
  static let b = ID(2)
  static let ending = StopAnswer(state: .stopped, exitCode: 124, summary: "not ended in time: http")
  static let running = StopAnswer(state: .accepted)

  var machine: Machine
  var open: Set<ID> = []
  var armed: Set<ID> = []
  /// What each was told last of all.
  var final: [ID: ControlAnswer] = [:]
  var asked: [ID: ControlRequest] = [:]
  /// Of which it was asked whether their stop may be requested.
  var stopping: Set<ID> = []
  var decided: Set<ID> = []
  var requested: Set<ID> = []
  var restartAsked = false
  var restarted = false
  var restartFailed = false
  var ended = false
  var violations: [String] = []

  init(_ abilities: Machine.Abilities = [.show, .restart], after events: [Machine.Event] = []) {
    machine = Machine(abilities, limits: Self.limits)
    for event in events { tell(event) }
  }

  mutating func meet(_ event: Machine.Event) { tell(event) }

  @discardableResult
  mutating func tell(_ event: Machine.Event) -> [Machine.Action] {
    note(event)
    let actions = machine.receive(event, at: Self.now)
    for action in actions { check(action, after: event) }
    for (id, exchange) in machine.exchanges {
      switch exchange {
      // No client may sit there for ever without something that brings an end: a deadline, or what it waits for.
      case .silent, .answered, .watching:
        if !armed.contains(id) { violations.append("\(id) has no deadline after \(event)") }
      case .stopping(_, let conversation):
        if ended || conversation.isDone { violations.append("\(id) waits for an end that has come") }
        if !stopping.contains(id) { violations.append("\(id) waits for what was not asked") }
      case .restarting: if ended || !restartAsked { violations.append("\(id) waits for no restart") }
      }
    }
    if Set(machine.exchanges.keys) != open { violations.append("knows others than are open after \(event)") }
    if open.count > Self.limits.connections { violations.append("too many") }
    return actions
  }

  private mutating func note(_ event: Machine.Event) {
    switch event {
    case .request(let id, let request): if open.contains(id), asked[id] == nil { asked[id] = request }
    case .deadline(let id): armed.remove(id)
    case .decided(let id, let decision):
      if case .permitted = decision, stopping.contains(id) { decided.insert(id) }
    case .restarted: restarted = true
    case .restartFailed: restartFailed = true
    case .finished: ended = true
    case .connected, .malformed, .closed: break
    }
  }

  private mutating func check(_ action: Machine.Action, after event: Machine.Event) {
    switch action {
    case .greet(let id):
      if case .connected(id) = event {} else { violations.append("greets late") }
      if !open.insert(id).inserted { violations.append("greets twice") }
      // A new connection, whichever had its number before.
      asked[id] = nil
      final[id] = nil
      stopping.remove(id)
      decided.remove(id)
      requested.remove(id)
    case .send(let id, let answer): said(answer, to: id)
    case .sendSnapshot(let id), .offerSnapshot(let id): document(id)
    case .sendPlan(let id):
      document(id)
      if asked[id] != .plan { violations.append("a plan for who did not ask") }
    case .requestPermission(let id, let stop):
      if asked[id] != .stop(stop) { violations.append("a stop that no client asked for") }
      if !stopping.insert(id).inserted { violations.append("asks twice") }
    case .requestStop(let id):
      if !decided.contains(id) { violations.append("a stop that is not permitted") }
      if !requested.insert(id).inserted { violations.append("requests twice") }
    case .restart:
      if !asked.values.contains(.restart), !restartAsked { violations.append("a restart that nobody asked for") }
      restartAsked = true
    case .arm(let id, let instant):
      armed.insert(id)
      if !open.contains(id) { violations.append("a deadline of who has gone") }
      if instant <= Self.now { violations.append("a deadline that has passed") }
    case .disarm(let id): armed.remove(id)
    case .close(let id):
      if open.remove(id) == nil { violations.append("closes twice") }
      if armed.contains(id) { violations.append("a deadline is left of \(id)") }
    case .ignored: break
    }
  }

  private mutating func document(_ id: ID) {
    if !open.contains(id) { violations.append("a document to who has gone") }
    if final[id] != nil { violations.append("a document after the last word") }
    if asked[id] == nil { violations.append("a document for who did not ask") }
  }

  /// No answer before it is true (T2).
  private mutating func said(_ answer: ControlAnswer, to id: ID) {
    if !open.contains(id) { violations.append("\(answer) to who has gone") }
    if final[id] != nil { violations.append("\(answer) after the last word") }
    switch answer {
    case .accepted:
      if !requested.contains(id) { violations.append("accepted before it was requested") }
      if case .stop(let stop)? = asked[id], !stop.waits { final[id] = answer }
    case .stopped:
      if !ended { violations.append("stopped before the end") }
      final[id] = answer
    case .restarted:
      if !restarted { violations.append("restarted before it was") }
      final[id] = answer
    case .failed:
      if !restartFailed && !ended { violations.append("failed before it had") }
      final[id] = answer
    case .refused: final[id] = answer
    case .serving, .part, .whole: violations.append("\(answer) is not the machine's to say")
    }
  }

  /// Every event, whether it can happen or not.
  static let alphabet: [Machine.Event] =
    [.restarted(process: 9), .restartFailed("no"), .finished(ending)]
    + [a, b].flatMap { id in
      [
        .connected(id), .request(id, .status(every: nil)), .request(id, .status(every: .seconds(1))),
        .request(id, .stop(.init(waits: false))), .request(id, .stop(.init(progress: .seconds(1)))),
        .request(id, .restart), .request(id, .plan), .malformed(id, .malformed, "noise"), .closed(id), .deadline(id),
        .decided(id, .permitted(running)), .decided(id, .refused("a handover is going on")),
      ] as [Machine.Event]
    }

  /// What can really happen next.
  var possible: [Machine.Event] {
    Self.alphabet.filter { event in
      switch event {
      case .connected(let id): !open.contains(id) && asked[id] == nil && final[id] == nil
      case .request(let id, _), .malformed(let id, _, _), .closed(let id): open.contains(id)
      case .deadline(let id): armed.contains(id)
      case .decided(let id, _): stopping.contains(id) && !decided.contains(id)
      case .restarted, .restartFailed: true
      case .finished: !ended
      }
    }
  }
}
