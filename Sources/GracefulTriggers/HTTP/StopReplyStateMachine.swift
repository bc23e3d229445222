/// What one request that asked for a stop is told, and when: that it has stopped, that the time is over, its progress.
package struct StopReplyStateMachine: Equatable, Sendable {
  package typealias Instant = ContinuousClock.Instant

  /// What whoever asks wants to know.
  package enum Wish: Equatable, Sendable {
    case end(within: Duration)
    case progress(for: Duration?)
  }

  /// What happened.
  package enum Event: Equatable, Sendable {
    /// The stop has been asked for.
    case begun(Wish, StopAnswer)
    /// The time to look has come, and this was seen.
    case looked(StopAnswer)
    /// The report is there.
    case ended(StopAnswer)
    /// The server that the request came to is closing: what is known now, is all that it can say.
    case dismissed(StopAnswer)
    /// Whoever asked is not there any more.
    case gone
  }

  /// What is to be done.
  package enum Action: Equatable, Sendable {
    /// The one answer.
    case answer(StopOutcome, StopAnswer)
    case openStream
    case say(StopAnswer)
    /// Nothing is new; the connection is shown to be alive.
    case sayNothing
    case closeStream(StopOutcome, StopAnswer)
    /// Says `looked`, at that instant and not at an earlier one.
    case look(at: Instant)
    /// The event cannot happen in this state; it was ignored.
    case ignored(reason: String)
  }

  private enum State: Equatable, Sendable {
    case new
    case waiting(until: Instant)
    case streaming(Stream)
    case done
  }

  private struct Stream: Equatable, Sendable {
    var until: Instant?
    var said: StopAnswer
    var saidAt: Instant
  }

  /// How often a stream is looked after.
  package static let interval = Duration.milliseconds(100)
  /// After so long a silence a comment is sent.
  package static let longestSilence = Duration.seconds(10)
  /// How long the report may take once all has ended.
  package static let patience = Duration.seconds(1)

  private var state = State.new

  package init() {}

  /// Whether nothing more is said.
  package var isDone: Bool { state == .done }

  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch (state, event) {
    case (.new, .begun(.end(let limit), let answer)):
      if limit <= .zero { return finish([.answer(.late, answer)]) }
      state = .waiting(until: now + limit)
      return [.look(at: now + limit)]
    case (.new, .begun(.progress(let limit), let answer)):
      let stream = Stream(until: limit.map { now + $0 }, said: answer, saidAt: now)
      state = .streaming(stream)
      return [.openStream, .say(answer), .look(at: next(stream, now))]
    case (.waiting(let until), .looked(let answer)):
      if now < until { return [.look(at: until)] }
      return finish([.answer(answer.state == .stopped ? .stopped : .late, answer)])
    case (.waiting, .ended(let answer)):
      return finish([.answer(.stopped, answer)])
    case (.waiting, .dismissed(let answer)):
      return finish([.answer(answer.state == .stopped ? .stopped : .accepted, answer)])
    case (.streaming(let stream), .looked(let answer)):
      return look(stream, answer, now)
    case (.streaming, .ended(let answer)):
      return finish([.closeStream(.stopped, answer)])
    case (.streaming, .dismissed(let answer)):
      return finish([.closeStream(answer.state == .stopped ? .stopped : .accepted, answer)])
    case (.new, .gone), (.waiting, .gone), (.streaming, .gone):
      return finish([])
    case (.done, .looked), (.done, .ended), (.done, .dismissed), (.done, .gone):
      // On its way already when the answer was given.
      return []
    case (.new, .looked), (.new, .ended), (.new, .dismissed):
      return [.ignored(reason: "nobody has asked yet")]
    case (.waiting, .begun), (.streaming, .begun), (.done, .begun):
      return [.ignored(reason: "asked twice")]
    }
  }

  private mutating func look(_ before: Stream, _ answer: StopAnswer, _ now: Instant) -> [Action] {
    var stream = before
    if let until = stream.until, now >= until {
      return finish([.closeStream(answer.state == .stopped ? .stopped : .late, answer)])
    }
    var actions: [Action] = []
    if answer.state == .stopped {
      // The report, which says more, is about to come.
      let patient = now + Self.patience
      if stream.said.state != .stopped { stream.until = stream.until.map { min($0, patient) } ?? patient }
      stream.said.state = .stopped
    } else if !answer.says(theSameAs: stream.said) {
      actions.append(.say(answer))
      (stream.said, stream.saidAt) = (answer, now)
    } else if now - stream.saidAt >= Self.longestSilence {
      actions.append(.sayNothing)
      stream.saidAt = now
    }
    state = .streaming(stream)
    return actions + [.look(at: next(stream, now))]
  }

  private func next(_ stream: Stream, _ now: Instant) -> Instant {
    let look = now + Self.interval
    return stream.until.map { min($0, look) } ?? look
  }

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
