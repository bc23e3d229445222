import Exploration

@testable import GracefulHandover

/// A predecessor's machine, what was told to it, and what must be true of its answers.
struct PredecessorWorld: ExploredWorld {
  typealias Machine = PredecessorStateMachine
  typealias ID = PredecessorStateMachine.ConnectionID

  static let now = ContinuousClock.now
  static let limits = HandoverLimits()

  var machine = Machine(limits: limits, services: [.handover, .control])
  var open: Set<ID> = []
  var gone: Set<ID> = []
  /// Given to the control server, which speaks with them.
  var given: Set<ID> = []
  var offered: Set<ID> = []
  var committed: ID?
  var acknowledged = false
  var paused: Int?
  var pausing: Int?
  var pauses = 0
  var released = false
  var stopping = false
  var timers: Set<Machine.Timer> = []
  var isSpawning = false
  var children: Set<Int32> = []
  var resumes = 0
  var givenUp = 0
  var violations: [String] = []

  init(after events: [Machine.Event] = []) {
    for event in events { tell(event) }
  }

  @discardableResult
  mutating func tell(_ event: Machine.Event) -> [Machine.Action] {
    note(event)
    let before = machine.state
    let actions = machine.receive(event, at: Self.now)
    if actions.isEmpty, !Self.mayBeSilent(event, in: before) { violations.append("\(event) in \(before) is lost") }
    for action in actions { check(action, for: event) }
    if case .offering(let offer) = machine.state, !timers.contains(.connection(offer.connection)) {
      violations.append("an offer without a deadline after \(event)")
    }
    return actions
  }

  mutating func meet(_ event: Machine.Event) { tell(event) }

  /// What is done about a peer that is turned away.
  static func refused(
    _ id: ID, _ refusal: Message.Refusal, _ reason: String, process: Int32 = 2
  ) -> [Machine.Action] {
    [
      .disarm(.connection(id)), .send(id, .refused(refusal, reason)), .close(id),
      .notify(.peerRefused(process: process, reason: reason)),
    ]
  }

  private mutating func note(_ event: Machine.Event) {
    switch event {
    case .connected(let id, _): open.insert(id)
    case .closed(let id): gone.insert(id)
    case .message(let id, .abort) where id == committed && !acknowledged: gone.insert(id)
    case .message(let id, .acknowledge) where id == committed: acknowledged = true
    case .acceptingPaused(let number) where number == pausing: paused = number
    case .stopRequested: stopping = true
    case .left: if !machine.isHandingOver { stopping = true }
    case .spawned(let process):
      isSpawning = false
      children.insert(process)
    case .childExited(let process, _): children.remove(process)
    case .deadline(let timer): timers.remove(timer)
    case .started, .preamble, .message, .unknownFrame, .malformed, .acceptingPaused, .restartRequested, .spawnFailed:
      break
    }
  }

  private mutating func check(_ action: Machine.Action, for event: Machine.Event) {
    switch action {
    case .send(let id, let message):
      if !open.contains(id) { violations.append("\(message) to a connection that is closed") }
      if case .abort = message, isBound(id) { violations.append("abort after the commit") }
      if message == .commit {
        committed = id
        acknowledged = false
      }
      if message == .released { release(to: id) }
    case .offer(let id):
      if released { violations.append("offers what was released") }
      if let committed, isBound(committed) { violations.append("a second offer after a commit") }
      offered.insert(id)
    case .close(let id):
      if isBound(id) { violations.append("closes alive after the commit") }
      open.remove(id)
    case .kill(let id): if !offered.contains(id) { violations.append("kills a peer that was offered nothing") }
    case .killChild(let process): if !children.contains(process) { violations.append("kills a stranger") }
    case .arm(let timer, let instant):
      timers.insert(timer)
      if instant <= Self.now { violations.append("a deadline that has passed") }
    case .disarm(let timer): timers.remove(timer)
    case .pauseAccepting(let number):
      if !acknowledged { violations.append("pauses before the acknowledgement") }
      pauses += 1
      pausing = number
      paused = nil
    case .resumeAccepting:
      if released { violations.append("accepts again after it released") }
      if stopping { violations.append("accepts again while it stops") }
      if pausing == nil { violations.append("accepts again without a pause") }
      resumes += 1
      pausing = nil
    case .giveAway(let id, _):
      // Not by its number alone: a later one may have it.
      if isBound(id) || machine.successor == id { violations.append("gives a successor away") }
      if released { violations.append("gives away who is the successor's") }
      open.remove(id)
      given.insert(id)
    case .giveUpSocket:
      if machine.state != .left || released { violations.append("gives up the socket of a successor") }
      givenUp += 1
    case .closeListener: if paused == nil { violations.append("closes the listener while it accepts") }
    case .spawn: isSpawning = true
    case .notify, .ignored: break
    }
  }

  private mutating func release(to id: ID) {
    if released { violations.append("releases twice") }
    if committed != id { violations.append("releases to somebody who was not told of a commit") }
    if !acknowledged { violations.append("releases before the acknowledgement") }
    if paused == nil || paused != pausing { violations.append("releases while it accepts") }
    released = true
  }

  /// Was told of the commit and has neither gone nor withdrawn: whatever is done to it now may make two owners, or none.
  private func isBound(_ id: ID) -> Bool { committed == id && !gone.contains(id) }

  /// The events that need no answer.
  private static func mayBeSilent(_ event: Machine.Event, in state: Machine.State) -> Bool {
    switch event {
    case .started: state == .starting
    // Nothing to do but to remember it; an end that was seen before; a child that is not waited for any more.
    case .stopRequested, .left, .closed, .childExited, .deadline(.child): true
    case .connected, .preamble, .message, .unknownFrame, .malformed, .deadline(.connection), .acceptingPaused,
      .restartRequested, .spawned, .spawnFailed:
      false
    }
  }
}

extension PredecessorWorld {
  static let a = ID(1)
  static let b = ID(2)
  static let child: Int32 = 9
  static let greeting = Preamble(purpose: .handover, program: "test")
  static let control = Preamble(purpose: .control, program: "test")

  static let started: [Machine.Event] = [.started]
  static let offering = started + [.connected(a, process: 2), .preamble(a, greeting)]
  static let committing = offering + [.message(a, .ready)]
  static let pausing = committing + [.message(a, .acknowledge)]
  static let hasReleased = pausing + [.acceptingPaused(1)]
  static let givenUp = offering + [.deadline(.connection(a))]
  static let awaitingChild = started + [.restartRequested, .spawned(process: child)]

  /// Every event, whether it can happen or not.
  static let alphabet: [Machine.Event] =
    [.started, .restartRequested, .stopRequested, .left, .acceptingPaused(1), .acceptingPaused(2)]
    + [
      .spawned(process: child), .spawnFailed("no"), .childExited(process: child, "1"),
      .deadline(.child(process: child)),
    ]
    + [a, b].flatMap { id in
      [
        .connected(id, process: 2), .preamble(id, greeting), .preamble(id, control), .message(id, .ready),
        .message(id, .acknowledge),
        .message(id, .abort("no")), .message(id, .released), .unknownFrame(id, type: 99), .malformed(id, "noise"),
        .closed(id), .deadline(.connection(id)),
      ] as [Machine.Event]
    }

  /// What can really happen next.
  var possible: [Machine.Event] {
    Self.alphabet.filter { event in
      switch event {
      case .started: machine.state == .starting
      case .restartRequested: true
      case .stopRequested: !stopping
      case .left: !machine.isHandingOver && machine.state != .left
      case .acceptingPaused(let number): number == pausing && paused == nil
      case .spawned, .spawnFailed: isSpawning
      case .childExited(let process, _): children.contains(process)
      case .deadline(let timer): timers.contains(timer)
      case .connected(let id, _):
        !open.contains(id) && !gone.contains(id) && !offered.contains(id) && !given.contains(id)
      case .preamble(let id, _): open.contains(id) && !gone.contains(id) && !offered.contains(id)
      case .message(let id, _), .unknownFrame(let id, _), .malformed(let id, _), .closed(let id):
        open.contains(id) && !gone.contains(id)
      }
    }
  }
}

extension [PredecessorStateMachine.Action] {
  /// Nothing is done, and it is recorded why.
  var isIgnored: Bool {
    if count == 1, case .ignored = self[0] { true } else { false }
  }
}

extension PredecessorStateMachine {
  /// With whom a handover is going on.
  fileprivate var successor: ConnectionID? {
    switch state {
    case .offering(let offer), .committing(let offer), .pausing(let offer), .released(let offer): offer.connection
    case .starting, .serving, .stopping, .left: nil
    }
  }
}
