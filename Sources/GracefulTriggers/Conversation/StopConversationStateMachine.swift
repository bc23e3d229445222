/// The program's side of one conversation about a stop: request, permission, acceptance, progress, end.
///
/// HTTP, the control socket, the stop files and a trigger of a user's own only carry it: they read what the client wants,
/// perform these actions, and write what is to be told. Nothing is told before it is true (T2).
///
/// ```
/// requested -> requestPermission -> refused   -> refuse
///                                   permitted -> requestStop, accept -> snapshot, say ... -> finish
/// ```
package struct StopConversationStateMachine: Hashable, Sendable {
  package typealias Instant = ContinuousClock.Instant

  private enum State: Hashable, Sendable {
    case new
    /// It is being decided whether this is the process to be stopped.
    case asking(Interest)
    /// The same, and the client has gone: what it requested is not taken back.
    case askingAlone
    case waiting(until: Instant?, snapshotsEvery: Duration?)
    case following(Following)
    case done
  }

  private struct Following: Hashable, Sendable {
    var until: Instant?
    var said: StopAnswer
    var saidAt: Instant
  }

  /// How often a client that follows the changes is looked after.
  package static let interval = Duration.milliseconds(100)
  /// After so long a silence the connection is shown to be alive.
  package static let longestSilence = Duration.seconds(10)
  /// How long the report may take once all has ended.
  package static let patience = Duration.seconds(1)

  private var state = State.new

  package init() {}

  /// Whether nothing more is said.
  package var isDone: Bool { state == .done }

  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch (state, event) {
    case (.new, .requested(let interest)):
      state = .asking(interest)
      return [.requestPermission]

    case (.asking(let interest), .permitted(let answer)): return accept(interest, answer, now)
    case (.asking, .refused(let reason)): return finish([.refuse(reason)])
    // Once permission was asked for it may be granted, and then other processes count on the stop: it is waited for, and
    // the client learns no more than that.
    case (.asking, .dismissed):
      state = .asking(.acceptance)
      return []

    case (.askingAlone, .permitted): return finish([.requestStop])
    case (.askingAlone, .refused), (.askingAlone, .ended): return finish([])
    case (.asking, .gone):
      state = .askingAlone
      return []

    case (.waiting(let until, let every?), .due): return [.snapshot] + look(at: next(until, every, now))
    case (.waiting(let until, let every), .looked(let answer)):
      guard let until, now >= until else { return look(at: next(until, every, now)) }
      return finish([.finish(answer.state == .stopped ? .stopped : .late, answer)])
    case (.following(let following), .looked(let answer)): return look(following, answer, now)

    case (.asking, .ended(let answer)), (.waiting, .ended(let answer)), (.following, .ended(let answer)):
      return finish([.finish(.stopped, answer)])
    case (.waiting, .dismissed(let answer)), (.following, .dismissed(let answer)):
      return finish([.finish(answer.state == .stopped ? .stopped : .accepted, answer)])
    case (.new, .gone), (.waiting, .gone), (.following, .gone): return finish([])

    // These were on their way already when the last word was said.
    case (.done, .permitted), (.done, .refused), (.done, .due), (.done, .looked), (.done, .ended), (.done, .dismissed),
      (.done, .gone), (.askingAlone, .dismissed), (.askingAlone, .gone):
      return []
    case (.new, .permitted), (.new, .refused), (.new, .due), (.new, .looked), (.new, .ended), (.new, .dismissed):
      return [.ignored("no stop has been requested yet")]
    case (.asking, .requested), (.askingAlone, .requested), (.waiting, .requested), (.following, .requested),
      (.done, .requested):
      return [.ignored("a second request")]
    case (.waiting, .permitted), (.waiting, .refused), (.following, .permitted), (.following, .refused):
      return [.ignored("a second decision")]
    case (.asking, .due), (.asking, .looked), (.askingAlone, .due), (.askingAlone, .looked), (.waiting(_, nil), .due),
      (.following, .due):
      return [.ignored("a look that was not asked for")]
    }
  }

  private mutating func accept(_ interest: Interest, _ answer: StopAnswer, _ now: Instant) -> [Action] {
    switch interest {
    case .acceptance: return finish([.requestStop, .finish(.accepted, answer)])
    case .end(let limit?, _) where limit <= .zero: return finish([.requestStop, .finish(.late, answer)])
    case .end(let limit, let every):
      let until = limit.map { now + $0 }
      state = .waiting(until: until, snapshotsEvery: every)
      return [.requestStop, .accept(answer)] + (every == nil ? [] : [.snapshot]) + look(at: next(until, every, now))
    case .changes(let limit):
      let following = Following(until: limit.map { now + $0 }, said: answer, saidAt: now)
      state = .following(following)
      return [.requestStop, .accept(answer), .say(answer)] + look(at: next(following.until, Self.interval, now))
    }
  }

  private mutating func look(_ before: Following, _ answer: StopAnswer, _ now: Instant) -> [Action] {
    var following = before
    if let until = following.until, now >= until {
      return finish([.finish(answer.state == .stopped ? .stopped : .late, answer)])
    }
    var actions: [Action] = []
    if answer.state == .stopped {
      // The report, which says more, is about to come.
      let patient = now + Self.patience
      if following.said.state != .stopped { following.until = following.until.map { min($0, patient) } ?? patient }
      following.said.state = .stopped
    } else if !answer.says(theSameAs: following.said) {
      actions.append(.say(answer))
      (following.said, following.saidAt) = (answer, now)
    } else if now - following.saidAt >= Self.longestSilence {
      actions.append(.sayNothing)
      following.saidAt = now
    }
    state = .following(following)
    return actions + look(at: next(following.until, Self.interval, now))
  }

  /// The earlier of the end of the time and the next turn; `nil` when there is neither.
  private func next(_ until: Instant?, _ interval: Duration?, _ now: Instant) -> Instant? {
    guard let interval else { return until }
    return until.map { min($0, now + interval) } ?? now + interval
  }

  private func look(at instant: Instant?) -> [Action] { instant.map { [.look(at: $0)] } ?? [] }

  private mutating func finish(_ actions: [Action]) -> [Action] {
    state = .done
    return actions
  }
}

extension StopAnswer {
  /// Whether nothing but the time has changed.
  fileprivate func says(theSameAs other: StopAnswer) -> Bool {
    guard state == other.state, phasesLeft == other.phasesLeft, holding.count == other.holding.count else {
      return false
    }
    return zip(holding, other.holding).allSatisfy { $0.phase == $1.phase && $0.sessions == $1.sessions }
  }
}
