/// What a program does about the peers at its control socket: decisions only.
///
/// No peer is answered before the answer is true: of a stop that is decided by ``StopConversationStateMachine``, and
/// *restarted* follows the successor's taking over (T2). One request a connection, so that what is kept for a peer is bounded.
package struct ControlStateMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// With one peer.
  enum Exchange: Equatable, Sendable {
    /// Has not asked for anything.
    case silent
    case watching(every: Duration)
    /// A conversation about a stop.
    case stopping(ControlRequest.Stop, StopConversationStateMachine)
    case restarting
    /// Was told everything; it is to go.
    case answered
  }

  private(set) var exchanges: [ConnectionID: Exchange] = [:]
  /// Of peers that have gone before it was decided whether their stop may be requested.
  private var orphans: [ConnectionID: StopConversationStateMachine] = [:]
  private(set) var ending: StopAnswer?
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
    case (.watching, .request(let id, _)), (.stopping, .request(let id, _)), (.restarting, .request(let id, _)):
      refuse(id, .malformed, "a second request; there is one a connection", at: now)
    case (.silent, .malformed(let id, let refusal, let reason)),
      (.watching, .malformed(let id, let refusal, let reason)),
      (.stopping, .malformed(let id, let refusal, let reason)),
      (.restarting, .malformed(let id, let refusal, let reason)):
      refuse(id, refusal, reason, at: now)

    // A peer that goes is forgotten; what it had asked for is not taken back.
    case (.some, .closed(let id)): close(id, at: now)

    case (.silent, .deadline(let id)):
      refuse(id, .malformed, "no request came within \(limits.request)", at: now)
    case (.answered, .deadline(let id)): close(id, at: now)
    case (.watching(let every), .deadline(let id)): [.offerSnapshot(id), .arm(id, at: now + every)]
    case (.stopping(let stop, let conversation), .deadline(let id)): stopping(id, stop, conversation, .due, at: now)
    case (.restarting, .deadline): [.ignored("a deadline of a connection that has none")]

    case (.stopping(let stop, let conversation), .decided(let id, let decision)):
      stopping(id, stop, conversation, decision, at: now)
    case (.silent, .decided), (.watching, .decided), (.restarting, .decided), (.answered, .decided):
      [.ignored("a stop that no peer waits for")]

    // It has gone meanwhile.
    case (nil, .decided(let id, let decision)): decideAlone(id, decision, at: now)
    case (nil, .request), (nil, .malformed), (nil, .closed), (nil, .deadline):
      [.ignored("a connection that is not known")]

    case (_, .restarted(let process)): answerRestarts(.restarted(process: process), at: now)
    case (_, .restartFailed(let reason)): answerRestarts(.failed(reason), at: now)
    case (_, .finished(let ending)): finish(ending, at: now)
    }
  }

  private mutating func connected(_ id: ConnectionID, at now: Instant) -> [Action] {
    let reason = "\(limits.connections) others are connected; come again"
    var actions: [Action] = []
    if exchanges.count >= limits.connections {
      if let silent = oldest(.silent) {
        actions = refuse(silent, .busy, reason, at: now)
      } else if let answered = oldest(.answered) {
        actions = close(answered, at: now)
      } else {
        return [.greet(id), .send(id, .refused(.busy, reason)), .close(id)]
      }
    }
    exchanges[id] = .silent
    return actions + [.greet(id), .arm(id, at: now + limits.request)]
  }

  /// The connection that has been so for longest: it keeps no other away.
  private func oldest(_ exchange: Exchange) -> ConnectionID? {
    exchanges.filter { $0.value == exchange }.keys.min { $0.number < $1.number }
  }

  private mutating func begin(_ id: ConnectionID, _ request: ControlRequest, at now: Instant) -> [Action] {
    switch request {
    case .status where !abilities.contains(.show), .plan where !abilities.contains(.show):
      return refuse(id, .impossible, "this program has no lifecycle to be shown; it can be stopped", at: now)
    case .status(nil): return [.sendSnapshot(id)] + answered(id, at: now)
    case .status(let every?):
      if ending != nil { return [.sendSnapshot(id)] + answered(id, at: now) }
      let every = max(every, limits.shortest)
      exchanges[id] = .watching(every: every)
      return [.sendSnapshot(id), .arm(id, at: now + every)]
    case .plan: return [.sendPlan(id)] + answered(id, at: now)
    case .stop(let stop):
      if let ending { return [.send(id, ending.asControlAnswer)] + answered(id, at: now) }
      return [.disarm(id)] + stopping(id, stop, StopConversationStateMachine(), .requested(interest(of: stop)), at: now)
    case .restart:
      guard abilities.contains(.restart) else {
        return refuse(
          id, .impossible, "this program takes no part in handovers, so nothing can take its place", at: now)
      }
      if ending != nil { return refuse(id, .impossible, "this process is about to end", at: now) }
      exchanges[id] = .restarting
      return [.disarm(id), .restart]
    }
  }

  private func interest(of stop: ControlRequest.Stop) -> StopConversationStateMachine.Interest {
    guard stop.waits else { return .acceptance }
    let every = abilities.contains(.show) ? stop.progress.map { max($0, limits.shortest) } : nil
    return .end(snapshotsEvery: every)
  }

  /// What a conversation about a stop decides, in the words of this socket.
  private mutating func stopping(
    _ id: ConnectionID, _ stop: ControlRequest.Stop, _ before: StopConversationStateMachine,
    _ event: StopConversationStateMachine.Event, at now: Instant
  ) -> [Action] {
    var conversation = before
    let decided = conversation.receive(event, at: now)
    exchanges[id] = .stopping(stop, conversation)
    return decided.flatMap { action -> [Action] in
      switch action {
      case .requestPermission: [.requestPermission(id, stop)]
      case .requestStop: [.requestStop(id)]
      case .accept: [.send(id, .accepted)]
      case .snapshot: [.offerSnapshot(id)]
      case .look(let instant): [.arm(id, at: instant)]
      case .finish(.accepted, _), .finish(.late, _): [.send(id, .accepted)] + answered(id, at: now)
      case .finish(.stopped, let answer): [.send(id, answer.asControlAnswer)] + answered(id, at: now)
      case .refuse(let reason): refuse(id, .busy, reason, at: now)
      case .say, .sayNothing: []
      case .ignored(let reason): [.ignored(reason)]
      }
    }
  }

  private mutating func refuse(
    _ id: ConnectionID, _ refusal: ControlAnswer.Refusal, _ reason: String, at now: Instant
  ) -> [Action] {
    forget(id, at: now)
    return [.disarm(id), .send(id, .refused(refusal, reason)), .close(id)]
  }

  /// It closes first: what it has not read would be lost with the connection.
  private mutating func answered(_ id: ConnectionID, at now: Instant) -> [Action] {
    exchanges[id] = .answered
    return [.arm(id, at: now + limits.leave)]
  }

  private mutating func close(_ id: ConnectionID, at now: Instant) -> [Action] {
    forget(id, at: now)
    return [.disarm(id), .close(id)]
  }

  private mutating func forget(_ id: ConnectionID, at now: Instant) {
    guard case .stopping(_, var conversation)? = exchanges.removeValue(forKey: id) else { return }
    _ = conversation.receive(.gone, at: now)
    if !conversation.isDone { orphans[id] = conversation }
  }

  private mutating func decideAlone(
    _ id: ConnectionID, _ decision: StopConversationStateMachine.Event, at now: Instant
  ) -> [Action] {
    guard var conversation = orphans.removeValue(forKey: id) else {
      return [.ignored("a connection that is not known")]
    }
    return conversation.receive(decision, at: now).contains(.requestStop) ? [.requestStop(id)] : []
  }

  private mutating func answerRestarts(_ answer: ControlAnswer, at now: Instant) -> [Action] {
    inOrder.flatMap { id, exchange -> [Action] in
      exchange == .restarting ? [.send(id, answer)] + answered(id, at: now) : []
    }
  }

  private mutating func finish(_ ending: StopAnswer, at now: Instant) -> [Action] {
    guard self.ending == nil else { return [.ignored("an end after the end")] }
    self.ending = ending
    return inOrder.flatMap { id, exchange -> [Action] in
      switch exchange {
      case .silent, .answered: []
      case .watching: [.sendSnapshot(id)] + answered(id, at: now)
      case .stopping(let stop, let conversation): stopping(id, stop, conversation, .ended(ending), at: now)
      case .restarting:
        [.send(id, .failed("this process has ended before a successor took over"))] + answered(id, at: now)
      }
    }
  }

  private var inOrder: [(key: ConnectionID, value: Exchange)] {
    exchanges.sorted { $0.key.number < $1.key.number }
  }
}

extension StopAnswer {
  fileprivate var asControlAnswer: ControlAnswer { .stopped(exitCode: exitCode ?? 0, summary: summary ?? "") }
}

extension ControlStateMachine.Event {
  /// The connection that it is about; `nil` for what concerns all.
  fileprivate var connection: ControlStateMachine.ConnectionID? {
    switch self {
    case .connected(let id), .request(let id, _), .malformed(let id, _, _), .closed(let id), .deadline(let id),
      .decided(let id, _):
      id
    case .restarted, .restartFailed, .finished: nil
    }
  }
}
