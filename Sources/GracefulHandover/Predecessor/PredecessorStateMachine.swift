/// What the process that serves now does about processes that want to take over: decisions only.
///
/// It accepts until a successor has acknowledged the commit, and never gives a successor up by time once the commit was
/// sent. Until `released` is sent it can take everything back; after that it never accepts again.
package struct PredecessorStateMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  struct Offer: Equatable, Sendable {
    var connection: ConnectionID
    var process: Int32
  }

  enum State: Equatable, Sendable {
    /// Not ready itself.
    case starting
    case serving
    /// Sent what it has; waits for *ready*, with a deadline.
    case offering(Offer)
    /// Sent the commit; waits for an answer or a death, without one.
    case committing(Offer)
    /// The successor knows; the commit is final as soon as nothing is accepted here.
    case pausing(Offer)
    case released(Offer)
    case stopping
    /// Nothing is handed over any more; the socket stays for control until another process wants it.
    case left
  }

  enum Connection: Equatable, Sendable {
    /// Has said nothing complete.
    case greeting(process: Int32)
    case handover(process: Int32)
    /// Was told that it is given up, and may still hold what it was given.
    case givenUp(process: Int32)

    var process: Int32 {
      switch self {
      case .greeting(let process), .handover(let process), .givenUp(let process): process
      }
    }
  }

  enum Restart: Equatable, Sendable {
    case spawning
    case waiting(process: Int32)
  }

  /// More than one successor and one request for the state is unusual; those that say nothing are told to come again.
  package static let connectionLimit = 16
  package static let unknownFrameLimit = 16

  var state = State.starting
  var isStopping = false
  var connections: [ConnectionID: Connection] = [:]
  var unknownFrames: [ConnectionID: Int] = [:]
  var restart: Restart?
  private var pauses = 0
  let limits: HandoverLimits
  let services: Services

  /// Whether a successor is taking over, or has.
  package var isHandingOver: Bool {
    switch state {
    case .offering, .committing, .pausing, .released: true
    case .starting, .serving, .stopping, .left: false
    }
  }

  package init(limits: HandoverLimits, services: Services = .handover) {
    self.limits = limits
    self.services = services
  }

  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch (state, event) {
    // The peers that come, and what they want.
    case (_, .connected(let id, let process)): connected(id, process: process, at: now)
    case (_, .preamble(let id, _)) where isTalking(id):
      // Refusing it would close the connection of a successor that may have been told of the commit.
      [.ignored("a second preamble")]
    case (_, .preamble(let id, let preamble)) where isForOthers(preamble):
      giveAway(id, preamble)
    case (.serving, .preamble(let id, let preamble)):
      refusal(of: preamble).map { refuse(id, $0.0, $0.1) } ?? begin(id, preamble, at: now)
    case (.starting, .preamble(let id, let preamble)):
      refuse(id, preamble, otherwise: .starting, "the process here is not ready itself yet")
    case (.stopping, .preamble(let id, let preamble)):
      refuse(id, preamble, otherwise: .stopping, "the process here is about to end")
    case (.left, .preamble(let id, let preamble)):
      makeRoom(id, preamble)
    case (.released(let offer), .preamble(let id, let preamble)):
      refuse(id, preamble, otherwise: .starting, "process \(offer.process) has just taken over; ask it")
    case (.offering(let offer), .preamble(let id, let preamble)),
      (.committing(let offer), .preamble(let id, let preamble)),
      (.pausing(let offer), .preamble(let id, let preamble)):
      refuse(id, preamble, otherwise: .busy, "a handover to process \(offer.process) is going on")

    // The dialogue with the successor.
    case (.offering(let offer), .message(let id, .ready)) where id == offer.connection:
      transition(to: .committing(offer)) + [
        .disarm(.connection(id)), .send(id, .commit), .notify(.committing(process: offer.process)),
      ]
    case (.committing(let offer), .message(let id, .acknowledge)) where id == offer.connection:
      pause(offer)
    case (.pausing(let offer), .acceptingPaused(let number)) where number == pauses:
      transition(to: .released(offer)) + [
        .closeListener, .send(offer.connection, .released), .notify(.tookOver(process: offer.process)),
      ]

    // The successor withdraws, or is gone. Nothing was released, so nothing is lost.
    case (.offering(let offer), .message(let id, .abort(let reason))) where id == offer.connection,
      (.committing(let offer), .message(let id, .abort(let reason))) where id == offer.connection:
      failed(offer, reason: reason)
    case (.offering(let offer), .closed(let id)) where id == offer.connection,
      (.committing(let offer), .closed(let id)) where id == offer.connection:
      failed(offer, reason: "it ended before it had taken over")
    case (.pausing(let offer), .closed(let id)) where id == offer.connection:
      // Its death came between its acknowledgement and our release: accept again.
      failed(offer, reason: "it ended before it had taken over") + (isStopping ? [] : [.resumeAccepting])
    case (.released(let offer), .closed(let id)) where id == offer.connection: ended(offer)
    case (.offering(let offer), .deadline(.connection(let id))) where id == offer.connection:
      giveUp(offer, reason: "it was not ready within \(limits.ready)", at: now)
    case (.offering(let offer), .malformed(let id, let reason)) where id == offer.connection:
      giveUp(offer, reason: reason, at: now)
    case (.committing(let offer), .malformed(let id, _)) where id == offer.connection,
      (.pausing(let offer), .malformed(let id, _)) where id == offer.connection:
      // Closing would tell it that this process has died, and it would accept beside us. Only its death resolves that.
      [.kill(id)]
    case (.released(let offer), .malformed(let id, let reason)) where id == offer.connection:
      // It is the owner now; whatever it says, nothing is done to it.
      [.ignored("process \(offer.process), which has taken over, sends \(reason)")]

    // Others than the successor, and what comes too late.
    case (_, .message(let id, let message)): outOfOrder(id, message, at: now)
    case (_, .unknownFrame(let id, let type)): unknown(id, type: type, at: now)
    case (_, .malformed(let id, let reason)): refuse(id, .malformed, reason)
    case (_, .closed(let id)): forget(id)
    case (_, .deadline(.connection(let id))): late(id)
    case (_, .acceptingPaused(let number)): [.ignored("accepting was paused (\(number)), and nobody waits for it")]

    // Our own successor.
    case (.serving, .restartRequested): requestRestart()
    case (.starting, .restartRequested):
      [.notify(.restartFailed(reason: "this process is not ready itself yet"))]
    case (.stopping, .restartRequested), (.released, .restartRequested), (.left, .restartRequested):
      [.notify(.restartFailed(reason: "this process is about to end"))]
    case (.offering(let offer), .restartRequested), (.committing(let offer), .restartRequested),
      (.pausing(let offer), .restartRequested):
      [.notify(.restartJoined(reason: "a handover to process \(offer.process) is going on"))]
    case (_, .spawned(let process)): spawned(process, at: now)
    case (_, .spawnFailed(let reason)): spawnFailed(reason)
    case (_, .childExited(let process, let how)): childExited(process, how)
    case (_, .deadline(.child(let process))): childLate(process)

    case (.starting, .started): transition(to: .serving)
    case (.serving, .started), (.offering, .started), (.committing, .started), (.pausing, .started),
      (.released, .started), (.stopping, .started), (.left, .started):
      [.ignored("it had started before")]
    case (.starting, .stopRequested), (.serving, .stopRequested):
      stop()
    case (.offering, .stopRequested), (.committing, .stopRequested), (.pausing, .stopRequested):
      // The best way to stop is to let the successor have it: the dialogue goes on while this process drains.
      stop(staying: true)
    case (.released, .stopRequested), (.stopping, .stopRequested), (.left, .stopRequested): []
    case (.starting, .left), (.serving, .left), (.stopping, .left): leave()
    case (.offering, .left), (.committing, .left), (.pausing, .left), (.released, .left), (.left, .left):
      [.ignored("it has left, or the socket is the successor's")]
    }
  }

  private mutating func transition(to next: State) -> [Action] {
    state = next
    return []
  }
}

// MARK: - How a handover ends without a new owner

extension PredecessorStateMachine {
  private mutating func failed(_ offer: Offer, reason: String) -> [Action] {
    state = isStopping ? .stopping : .serving
    return forget(offer.connection) + [.notify(.successorFailed(process: offer.process, reason: reason))]
  }

  private mutating func giveUp(_ offer: Offer, reason: String, at now: Instant) -> [Action] {
    state = isStopping ? .stopping : .serving
    connections[offer.connection] = .givenUp(process: offer.process)
    return [
      .send(offer.connection, .abort(reason)), .arm(.connection(offer.connection), at: now + limits.letGo),
      .notify(.successorGivenUp(process: offer.process, reason: reason)),
    ]
  }

  private mutating func ended(_ offer: Offer) -> [Action] {
    forget(offer.connection) + [.notify(.successorEnded(process: offer.process))]
  }

  private mutating func pause(_ offer: Offer) -> [Action] {
    state = .pausing(offer)
    pauses += 1
    return [.pauseAccepting(pauses)]
  }

  private mutating func leave() -> [Action] {
    defer { state = .left }
    return stop()
  }

  private mutating func stop(staying: Bool = false) -> [Action] {
    isStopping = true
    if !staying { state = .stopping }
    // A successor that is being started at this moment is killed as soon as it has a number.
    defer { restart = nil }
    guard case .waiting(let process) = restart else { return [] }
    return [.disarm(.child(process: process)), .killChild(process: process)]
  }
}
