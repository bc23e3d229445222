@testable import GracefulHandover

/// A successor's machine, what was told to it, and what must be true of its answers.
struct SuccessorWorld {
  typealias Machine = SuccessorStateMachine

  static let now = ContinuousClock.now
  static let limits = HandoverLimits()

  var machine = Machine(limits: limits, descriptorLimit: 1024)
  var timers: Set<Machine.Timer> = []
  var prepared = false
  var wasReady = false
  var committed = false
  var acknowledged = false
  var released = false
  var connectionEnded = false
  var dead = false
  var delivered = false
  var owns = 0
  var failures = 0
  var closed = false
  var violations: [String] = []

  init(after events: [Machine.Event] = []) {
    for event in events { tell(event) }
  }

  @discardableResult
  mutating func tell(_ event: Machine.Event) -> [Machine.Action] {
    note(event)
    let before = machine.state
    let actions = machine.receive(event, at: Self.now)
    if actions.isEmpty, before == machine.state, !Self.mayBeSilent(event) {
      violations.append("\(event) in \(before) is lost")
    }
    for action in actions { check(action) }
    if owns + failures == 0 { checkThatItEnds(after: event) }
    return actions
  }

  private mutating func note(_ event: Machine.Event) {
    switch event {
    case .closed: connectionEnded = true
    case .predecessorDied: dead = true
    case .prepared: if delivered { prepared = true }
    case .message(.commit, _): if wasReady { committed = true }
    case .message(.released, _): if acknowledged { released = true }
    case .deadline(let timer): timers.remove(timer)
    case .began, .preamble, .message, .unknownFrame, .malformed, .withdrawn: break
    }
  }

  private mutating func check(_ action: Machine.Action) {
    switch action {
    case .send(let message):
      if closed { violations.append("\(message) after the close") }
      switch message {
      case .ready:
        if !prepared { violations.append("ready before it has prepared") }
        wasReady = true
      case .acknowledge:
        if !committed { violations.append("acknowledges what was not sent") }
        acknowledged = true
      case .abort: if acknowledged { violations.append("aborts after it acknowledged") }
      default: break
      }
    case .close: closed = true
    case .arm(let timer, _): timers.insert(timer)
    case .disarm(let timer): timers.remove(timer)
    case .deliver:
      if delivered { violations.append("delivers twice") }
      delivered = true
    case .own(let proof):
      owns += 1
      if owns > 1 || failures > 0 { violations.append("owns a second time, or after it failed") }
      if !prepared { violations.append("owns before it has prepared") }
      if proof == .released, !released { violations.append("owns what was not released") }
      if proof == .predecessorDied, !dead, !(acknowledged && connectionEnded) {
        violations.append("no proof of a death")
      }
      if !timers.isEmpty { violations.append("owns with \(timers) armed") }
    case .fail:
      failures += 1
      if failures > 1 || owns > 0 { violations.append("fails a second time, or as the owner") }
      if acknowledged { violations.append("fails after it acknowledged") }
      if !timers.isEmpty { violations.append("fails with \(timers) armed") }
    case .notify, .ignored: break
    }
  }

  /// Whatever it waits for, a deadline ends the wait, but for the program itself and what may not be decided by time.
  private mutating func checkThatItEnds(after event: Machine.Event) {
    switch machine.state {
    case .greeting, .receiving: if !timers.contains(.offer) { violations.append("no deadline after \(event)") }
    case .ready: if !timers.contains(.commit) { violations.append("no deadline after \(event)") }
    case .bereft: if !timers.contains(.death) { violations.append("no deadline after \(event)") }
    case .idle, .preparing, .orphaned, .acknowledged, .owner, .ended: break
    }
  }

  private static func mayBeSilent(_ event: Machine.Event) -> Bool {
    // Descriptors that are none, and a preparation that was known.
    switch event {
    case .message(.descriptors([]), descriptors: 0), .prepared: true
    default: false
    }
  }
}

extension SuccessorWorld {
  static let greeting = Preamble(purpose: .handover, program: "test")
  static func welcome(_ count: UInt32) -> Machine.Event {
    .message(.welcome(process: 1, generation: 3, descriptors: count), descriptors: 0)
  }
  static let one = Machine.Event.message(.descriptors([DescriptorLabel(name: "a")]), descriptors: 1)

  static let greeted: [Machine.Event] = [.began, .preamble(greeting)]
  static let receiving = greeted + [welcome(1)]
  static let preparing = receiving + [one, .message(.offered, descriptors: 0)]
  static let ready = preparing + [.prepared]
  static let acknowledged = ready + [.message(.commit, descriptors: 0)]
  static let owner = acknowledged + [.message(.released, descriptors: 0)]

  static let alphabet: [Machine.Event] = [
    .began, .preamble(greeting), welcome(1), one, .message(.offered, descriptors: 0), .prepared,
    .message(.commit, descriptors: 0), .message(.released, descriptors: 0), .message(.abort("no"), descriptors: 0),
    .message(.refused(.busy, "x"), descriptors: 0), .message(.unknown(type: 1), descriptors: 0),
    .unknownFrame(type: 300), .malformed("noise"), .closed, .predecessorDied, .withdrawn("x"), .deadline(.offer),
    .deadline(.commit), .deadline(.death),
  ]
}

extension [SuccessorStateMachine.Action] {
  /// Nothing is done, and it is recorded why.
  var isIgnored: Bool {
    if count == 1, case .ignored = self[0] { true } else { false }
  }
}
