import GracefulShutdown

/// The gate as a value: two stripes, the words of GateMemory, and actors that take one atomic step at a time.
///
/// The decisions are those of the real ``SessionWord``; the steps are those of SessionStripe and GateMemory, in their
/// order. Everything that a step touches in the gate's memory goes through `touch`, so that a step after the memory was
/// freed is found.
struct GateModel: Hashable {
  struct Breach: Error, CustomStringConvertible {
    var description: String
  }

  /// What an actor does, from its beginning to its end.
  enum Script: Hashable {
    /// A session from outside.
    case session(stripe: Int, end: SessionEnd)
    /// A session from outside that opens another one inside; to the word it is the same which of them ends first.
    case nested(stripe: Int)
    /// A task with the place of a session that may be over long since; it holds the gate all the time.
    case stale(stripe: Int)
    case closer
    case owner
  }

  enum Step: Hashable {
    case toBegin
    case toExchange(SessionWord)
    case toOpenInside
    case toExchangeInside(SessionWord)
    /// One operation that always succeeds.
    case toEnd(left: Int)
    /// A read, a count, and an exchange that may have to be repeated, for a session that failed.
    case toCount
    case toRecount(seen: SessionWord, counted: Bool)
    case toExchangeEnd(seen: SessionWord)
    case toCountDown(by: Int, then: Afterwards)
    case toTakeCallback(then: Afterwards)
    case toLetGo(callback: Bool, then: Afterwards)
    case toCallBack(then: Afterwards)
    case toShut
    case toCloseStripe(Int, empty: Int)
    case toDrop
    case done
  }

  /// Where an actor goes on that has counted down.
  enum Afterwards: Hashable {
    case end(left: Int)
    case drop
    case done
  }

  struct Actor: Hashable {
    let script: Script
    var step: Step
    /// Sessions that it has in its stripe.
    var inside = 0
  }

  struct Tally: Hashable {
    var open = 0
    var draining = 0
  }

  var actors: [Actor]
  var words = [SessionWord(), SessionWord()]
  var failed = Tally()
  var remaining = 3
  var holders = 2
  var isShut = false
  var hasCallback = false
  var callbacks = 0
  var closedLive = 0
  var closedAdmitted = 0
  var isFreed = false
  /// What an observer of everything knows.
  var truth = Truth()

  struct Truth: Hashable {
    var admitted = 0
    var failed = Tally()
    var endedWellAfter = 0
  }

  init(_ scripts: [Script]) {
    actors = scripts.map { script in
      switch script {
      case .session, .nested: Actor(script: script, step: .toBegin)
      case .stale: Actor(script: script, step: .toOpenInside)
      case .closer: Actor(script: script, step: .toShut)
      case .owner: Actor(script: script, step: .toDrop)
      }
    }
  }

  /// Whether an actor has something to do.
  ///
  /// The owner can drop the gate only when no other actor holds it any more: an actor that begins or closes does, and a stale
  /// place until it is gone.
  func canStep(_ index: Int) -> Bool {
    switch actors[index].step {
    case .done: false
    case .toDrop: actors.indices.allSatisfy { $0 == index || !holdsGate(actors[$0]) }
    default: true
    }
  }

  private func holdsGate(_ actor: Actor) -> Bool {
    switch (actor.script, actor.step) {
    case (_, .done): false
    case (.stale, _), (.closer, _), (_, .toBegin), (_, .toExchange): true
    default: false
    }
  }

  /// When no actor has anything left to do.
  func checkEnd() throws {
    func expect(_ holds: Bool, _ what: String) throws {
      if !holds { throw Breach(description: "\(what): \(self)") }
    }
    try expect(actors.allSatisfy { $0.step == .done }, "everybody comes to an end")
    try expect(isFreed, "the memory is freed")
    try expect(words.allSatisfy { $0.live == 0 && $0.isClosed }, "closed and empty")
    try expect(callbacks == (actors.contains { $0.script == .closer } ? 1 : 0), "called back once")
    let admitted = words.reduce(0) { $0 + Int($1.admitted) }
    try expect(admitted == truth.admitted, "all that came in are counted")
    try expect(failed == truth.failed, "failures are counted on their side of the closing")
    let drained = closedLive + admitted - closedAdmitted - failed.draining
    try expect(drained == truth.endedWellAfter, "drained")
  }
}
