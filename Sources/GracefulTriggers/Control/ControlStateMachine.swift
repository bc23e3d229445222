/// What a program does about those who come to its control socket: decisions only.
///
/// Nobody is answered before the answer is true: *accepted* follows the asking, *stopped* the report, *restarted* the
/// successor's taking over (T2). One request a connection, so that what is kept for a peer is bounded.
package struct ControlStateMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// With one peer.
  enum Exchange: Equatable, Sendable {
    /// Has not asked for anything.
    case silent
    case watching(every: Duration)
    /// Its stop is being asked for.
    case asking(ControlRequest.Stop)
    /// Waits for the end.
    case stopping(ControlRequest.Stop)
    case restarting
    /// Was told everything; it is to go.
    case answered
  }

  private(set) var exchanges: [ConnectionID: Exchange] = [:]
  private(set) var ending: Ending?
  private let abilities: Abilities
  private let limits: ControlLimits

  package init(_ abilities: Abilities, limits: ControlLimits = ControlLimits()) {
    self.abilities = abilities
    self.limits = limits
  }

  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch (event.connection.flatMap { exchanges[$0] }, event) {
    case (nil, .connected(let id)): connected(id, at: now)
    case (.some, .connected): [.ignored("a connection that is known")]

    case (.silent, .request(let id, let request)): begin(id, request, at: now)
    case (.answered, .request), (.answered, .malformed): [.ignored("what comes after the last answer")]
    case (.watching, .request(let id, _)), (.asking, .request(let id, _)), (.stopping, .request(let id, _)),
      (.restarting, .request(let id, _)):
      refuse(id, .malformed, "a second request; there is one a connection")
    case (.silent, .malformed(let id, let refusal, let reason)),
      (.watching, .malformed(let id, let refusal, let reason)),
      (.asking, .malformed(let id, let refusal, let reason)),
      (.stopping, .malformed(let id, let refusal, let reason)),
      (.restarting, .malformed(let id, let refusal, let reason)):
      refuse(id, refusal, reason)

    // Whoever goes is forgotten; what it had asked for is not taken back.
    case (.some, .closed(let id)): close(id)

    case (.silent, .deadline(let id)):
      refuse(id, .malformed, "no request came within \(limits.request)")
    case (.answered, .deadline(let id)): close(id)
    case (.watching(let every), .deadline(let id)): [.offerSnapshot(id), .arm(id, at: now + every)]
    case (.stopping(let stop), .deadline(let id)): progress(id, stop, at: now)
    case (.asking, .deadline), (.restarting, .deadline): [.ignored("a deadline of a connection that has none")]

    case (.asking(let stop), .stopTaken(let id)): taken(id, stop, at: now)
    case (.asking, .stopRefused(let id, let reason)): refuse(id, .busy, reason)
    case (.silent, .stopTaken), (.watching, .stopTaken), (.stopping, .stopTaken), (.restarting, .stopTaken),
      (.answered, .stopTaken), (.silent, .stopRefused), (.watching, .stopRefused), (.stopping, .stopRefused),
      (.restarting, .stopRefused), (.answered, .stopRefused):
      [.ignored("a stop that nobody waits for")]

    // It has gone meanwhile.
    case (nil, .request), (nil, .malformed), (nil, .closed), (nil, .deadline), (nil, .stopTaken), (nil, .stopRefused):
      [.ignored("a connection that is not known")]

    case (_, .restarted(let process)): answerRestarts(.restarted(process: process), at: now)
    case (_, .restartFailed(let reason)): answerRestarts(.failed(reason), at: now)
    case (_, .finished(let ending)): finish(ending, at: now)
    }
  }

  private mutating func connected(_ id: ConnectionID, at now: Instant) -> [Action] {
    guard exchanges.count < limits.connections else {
      let reason = "\(limits.connections) others are connected; come again"
      return [.greet(id), .send(id, .refused(.busy, reason)), .close(id)]
    }
    exchanges[id] = .silent
    return [.greet(id), .arm(id, at: now + limits.request)]
  }

  private mutating func begin(_ id: ConnectionID, _ request: ControlRequest, at now: Instant) -> [Action] {
    switch request {
    case .status where !abilities.contains(.show), .plan where !abilities.contains(.show):
      return refuse(id, .impossible, "this program has no lifecycle to be shown; it can be stopped")
    case .status(nil): return [.sendSnapshot(id)] + answered(id, at: now)
    case .status(let every?):
      if ending != nil { return [.sendSnapshot(id)] + answered(id, at: now) }
      let every = max(every, limits.shortest)
      exchanges[id] = .watching(every: every)
      return [.sendSnapshot(id), .arm(id, at: now + every)]
    case .plan: return [.sendPlan(id)] + answered(id, at: now)
    case .stop(let stop):
      if let ending { return [.send(id, ending.answer)] + answered(id, at: now) }
      exchanges[id] = .asking(stop)
      return [.disarm(id), .askToStop(id, stop)]
    case .restart:
      guard abilities.contains(.restart) else {
        return refuse(id, .impossible, "this program takes no part in handovers, so nothing can take its place")
      }
      if ending != nil { return refuse(id, .impossible, "this process is about to end") }
      exchanges[id] = .restarting
      return [.disarm(id), .restart]
    }
  }

  private mutating func taken(_ id: ConnectionID, _ stop: ControlRequest.Stop, at now: Instant) -> [Action] {
    guard stop.waits else { return [.send(id, .accepted)] + answered(id, at: now) }
    exchanges[id] = .stopping(stop)
    return [.send(id, .accepted)] + progress(id, stop, at: now)
  }

  private func progress(_ id: ConnectionID, _ stop: ControlRequest.Stop, at now: Instant) -> [Action] {
    guard let progress = stop.progress, abilities.contains(.show) else { return [] }
    return [.offerSnapshot(id), .arm(id, at: now + max(progress, limits.shortest))]
  }

  private mutating func refuse(_ id: ConnectionID, _ refusal: ControlAnswer.Refusal, _ reason: String) -> [Action] {
    exchanges[id] = nil
    return [.disarm(id), .send(id, .refused(refusal, reason)), .close(id)]
  }

  /// It closes first: what it has not read would be lost with the connection.
  private mutating func answered(_ id: ConnectionID, at now: Instant) -> [Action] {
    exchanges[id] = .answered
    return [.arm(id, at: now + limits.leave)]
  }

  private mutating func close(_ id: ConnectionID) -> [Action] {
    exchanges[id] = nil
    return [.disarm(id), .close(id)]
  }

  private mutating func answerRestarts(_ answer: ControlAnswer, at now: Instant) -> [Action] {
    inOrder.flatMap { id, exchange -> [Action] in
      exchange == .restarting ? [.send(id, answer)] + answered(id, at: now) : []
    }
  }

  private mutating func finish(_ ending: Ending, at now: Instant) -> [Action] {
    guard self.ending == nil else { return [.ignored("an end after the end")] }
    self.ending = ending
    return inOrder.flatMap { id, exchange -> [Action] in
      switch exchange {
      case .silent, .answered: []
      case .watching: [.sendSnapshot(id)] + answered(id, at: now)
      case .asking, .stopping: [.send(id, ending.answer)] + answered(id, at: now)
      case .restarting:
        [.send(id, .failed("this process has ended before a successor took over"))] + answered(id, at: now)
      }
    }
  }

  private var inOrder: [(key: ConnectionID, value: Exchange)] {
    exchanges.sorted { $0.key.number < $1.key.number }
  }
}

extension ControlStateMachine.Ending {
  fileprivate var answer: ControlAnswer { .stopped(exitCode: exitCode, summary: summary) }
}

extension ControlStateMachine.Event {
  /// Whose it is; `nil` for what concerns all.
  fileprivate var connection: ControlStateMachine.ConnectionID? {
    switch self {
    case .connected(let id), .request(let id, _), .malformed(let id, _, _), .closed(let id), .deadline(let id),
      .stopTaken(let id), .stopRefused(let id, _):
      id
    case .restarted, .restartFailed, .finished: nil
    }
  }
}
