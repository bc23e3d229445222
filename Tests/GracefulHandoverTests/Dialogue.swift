@testable import GracefulHandover

/// A predecessor and a successor, wired together in memory: what can happen next, and what is true meanwhile.
///
/// Time is a move like any other: every deadline that is armed may pass at any moment.
struct Dialogue {
  enum Move: Equatable {
    case deliverToPredecessor, deliverToSuccessor
    case pauseDone, prepared
    case predecessorDeadline(PredecessorStateMachine.Timer), successorDeadline(SuccessorStateMachine.Timer)
    case predecessorDies, successorDies, successorWithdraws, stopRequested

    /// What goes wrong, as against what goes on.
    var isFault: Bool {
      switch self {
      case .deliverToPredecessor, .deliverToSuccessor, .pauseDone, .prepared: false
      case .predecessorDeadline, .successorDeadline, .predecessorDies, .successorDies, .successorWithdraws,
        .stopRequested:
        true
      }
    }
  }

  enum Parcel: Equatable {
    case preamble(Preamble)
    case message(Message, descriptors: Int)
    case end
    case death
  }

  static let connection = PredecessorStateMachine.ConnectionID(1)
  let now = ContinuousClock.now

  var predecessor: PredecessorStateMachine
  var successor: SuccessorStateMachine
  var toPredecessor: [Parcel] = []
  var toSuccessor: [Parcel] = []
  var predecessorTimers: Set<PredecessorStateMachine.Timer> = []
  var successorTimers: Set<SuccessorStateMachine.Timer> = []
  var pausing: Int?
  var isPreparing = false
  var predecessorLives = true
  var successorLives = true
  var predecessorAccepts = true
  var successorAccepts = false
  var isStopping = false
  var hasDelivered = false
  var predecessorClosed = false
  var successorClosed = false
  var committed = false
  var failure: SuccessorStateMachine.Failure?
  var violations: [String] = []

  init(limits: HandoverLimits = HandoverLimits()) {
    predecessor = PredecessorStateMachine(limits: limits)
    successor = SuccessorStateMachine(limits: limits, descriptorLimit: 1024)
    tell(.started)
    tell(.connected(Self.connection, process: 2))
    hear(.began)
    toPredecessor.append(.preamble(Preamble(purpose: .handover, program: "test")))
  }

  var moves: [Move] {
    var moves: [Move] = []
    if predecessorLives, !toPredecessor.isEmpty { moves.append(.deliverToPredecessor) }
    if successorLives, !toSuccessor.isEmpty { moves.append(.deliverToSuccessor) }
    if predecessorLives, pausing != nil { moves.append(.pauseDone) }
    if successorLives, isPreparing { moves.append(.prepared) }
    if predecessorLives {
      moves += predecessorTimers.map { .predecessorDeadline($0) } + [.predecessorDies]
      if !isStopping { moves.append(.stopRequested) }
    }
    if successorLives {
      moves += successorTimers.map { .successorDeadline($0) } + [.successorDies]
      if failure == nil { moves.append(.successorWithdraws) }
    }
    return moves
  }

  mutating func make(_ move: Move) {
    switch move {
    case .deliverToPredecessor:
      switch toPredecessor.removeFirst() {
      case .preamble(let preamble): tell(.preamble(Self.connection, preamble))
      case .message(let message, _): tell(.message(Self.connection, message))
      case .end, .death: tell(.closed(Self.connection))
      }
    case .deliverToSuccessor:
      switch toSuccessor.removeFirst() {
      case .preamble(let preamble): hear(.preamble(preamble))
      case .message(let message, let count): hear(.message(message, descriptors: count))
      case .end: hear(.closed)
      case .death: hear(.predecessorDied)
      }
    case .pauseDone:
      guard let number = pausing else { return }
      pausing = nil
      predecessorAccepts = false
      tell(.acceptingPaused(number))
    case .prepared:
      isPreparing = false
      hear(.prepared)
    case .predecessorDeadline(let timer):
      predecessorTimers.remove(timer)
      tell(.deadline(timer))
    case .successorDeadline(let timer):
      successorTimers.remove(timer)
      hear(.deadline(timer))
    case .predecessorDies:
      predecessorLives = false
      predecessorAccepts = false
      if !predecessorClosed { toSuccessor.append(.end) }
      toSuccessor.append(.death)
    case .successorDies: killSuccessor()
    case .successorWithdraws: hear(.withdrawn("the test says so"))
    case .stopRequested:
      isStopping = true
      // A process that stops closes its listeners whatever the handover does.
      predecessorAccepts = false
      tell(.stopRequested)
    }
    if predecessorLives, predecessorAccepts, successorLives, successorAccepts { violations.append("two accept") }
  }

  private mutating func killSuccessor() {
    successorLives = false
    successorAccepts = false
    if !successorClosed { toPredecessor.append(.end) }
    successorClosed = true
  }

  private mutating func tell(_ event: PredecessorStateMachine.Event) {
    guard predecessorLives else { return }
    for action in predecessor.receive(event, at: now) {
      switch action {
      case .send(_, let message):
        if message == .commit { committed = true }
        post(message)
      case .offer:
        toSuccessor.append(.preamble(Preamble(purpose: .handover, program: "test")))
        post(.welcome(process: 1, generation: 1, descriptors: 2))
        post(.descriptors([DescriptorLabel(name: "a"), DescriptorLabel(name: "b")]), descriptors: 2)
        post(.offered)
      case .close:
        // What the driver does: nothing comes any more, and the other side sees an end after what was sent.
        if committed, successorLives, !successorClosed, failure == nil {
          violations.append("closed alive after commit")
        }
        predecessorClosed = true
        toPredecessor = []
        if toSuccessor.last != .death { toSuccessor.append(.end) }
      case .kill: if successorLives { killSuccessor() }
      case .arm(let timer, _): predecessorTimers.insert(timer)
      case .disarm(let timer): predecessorTimers.remove(timer)
      case .pauseAccepting(let number):
        if pausing != nil { violations.append("a second pause before the first is done") }
        pausing = number
      case .resumeAccepting:
        // On the event loop it comes after the pause, whose answer is on its way then.
        pausing = nil
        if isStopping { violations.append("accepts again although it stops") } else { predecessorAccepts = true }
      case .closeListener:
        if predecessorAccepts { violations.append("closes the listener while it accepts") }
      case .giveUpSocket: violations.append("gives up the socket")
      case .giveAway: violations.append("gives the successor away")
      case .killChild, .spawn, .notify, .ignored: break
      }
    }
  }

  private mutating func post(_ message: Message, descriptors: Int = 0) {
    if !successorClosed { toSuccessor.append(.message(message, descriptors: descriptors)) }
  }

  private mutating func hear(_ event: SuccessorStateMachine.Event) {
    guard successorLives else { return }
    for action in successor.receive(event, at: now) {
      switch action {
      case .send(let message):
        if !predecessorClosed, predecessorLives { toPredecessor.append(.message(message, descriptors: 0)) }
      case .close:
        toSuccessor = []
        if !successorClosed, predecessorLives, !predecessorClosed { toPredecessor.append(.end) }
        successorClosed = true
      case .arm(let timer, _): successorTimers.insert(timer)
      case .disarm(let timer): successorTimers.remove(timer)
      case .deliver:
        hasDelivered = true
        isPreparing = true
      case .own:
        if successorAccepts { violations.append("owns twice") }
        if failure != nil { violations.append("owns after it failed") }
        successorAccepts = true
      case .fail(let why):
        if successorAccepts { violations.append("fails as the owner") }
        if failure != nil { violations.append("fails twice") }
        failure = why
        isPreparing = false
      case .notify, .ignored: break
      }
    }
  }

  /// What must be true when nothing goes on any more.
  var finalViolations: [String] {
    var found = violations
    if predecessorLives, successorLives, !isStopping, predecessorAccepts == successorAccepts {
      found.append(predecessorAccepts ? "two accept at the end" : "none accepts at the end")
    }
    if predecessorLives, !successorLives, !isStopping, !predecessorAccepts, !predecessor.hasReleased {
      found.append("the predecessor does not serve on")
    }
    if !predecessorLives, successorLives, hasDelivered, failure == nil, !isPreparing, !successorAccepts {
      found.append("the successor does not take over from a dead predecessor")
    }
    return found
  }
}

extension PredecessorStateMachine {
  var hasReleased: Bool { if case .released = state { true } else { false } }
}
