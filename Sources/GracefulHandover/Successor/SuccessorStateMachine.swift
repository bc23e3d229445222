/// How a process takes over from the process that serves now: decisions only.
///
/// It accepts nothing before the predecessor has released the listeners or is proven dead. Until it has acknowledged
/// the commit it can withdraw at any time, and the predecessor serves on.
package struct SuccessorStateMachine: Sendable {
  package typealias Instant = ContinuousClock.Instant

  struct Predecessor: Equatable, Sendable {
    var process: Int32
    var generation: UInt32
  }

  struct Receiving: Equatable, Sendable {
    var predecessor: Predecessor
    var expected: Int
    var labels: [DescriptorLabel] = []
  }

  struct Preparing: Equatable, Sendable {
    var predecessor: Predecessor
    var prepared = false
  }

  enum State: Equatable, Sendable {
    case idle
    /// Waits for the predecessor's preamble, then its welcome.
    case greeting(answered: Bool)
    case receiving(Receiving)
    /// The program prepares what came.
    case preparing(Preparing)
    /// Said *ready*; waits for the commit.
    case ready(Preparing)
    /// The connection ended without a word before the commit; looks for proof of a death.
    case bereft(Preparing)
    /// The predecessor is dead, and the program has not prepared yet.
    case orphaned(Preparing)
    /// Acknowledged; no time limit from here on.
    case acknowledged(Predecessor)
    case owner(Predecessor)
    case ended
  }

  /// After so many the peer is no peer of ours.
  package static let unknownFrameLimit = 16

  private(set) var state = State.idle
  private var unknownFrames = 0
  private let limits: HandoverLimits
  /// The most descriptors that this process can hold.
  private let descriptorLimit: Int

  package init(limits: HandoverLimits, descriptorLimit: Int) {
    self.limits = limits
    self.descriptorLimit = descriptorLimit
  }

  // A function a state, each an exhaustive switch: as one switch over the pairs the compiler gives up on proving it.
  package mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch state {
    case .idle: idle(event, at: now)
    case .greeting(let answered): greeting(answered, event)
    case .receiving(let receiving): self.receiving(receiving, event)
    case .preparing(let preparing): self.preparing(preparing, event, at: now)
    case .ready(let preparing): ready(preparing, event, at: now)
    case .bereft(let preparing): bereft(preparing, event)
    case .orphaned(let preparing): orphaned(preparing, event)
    case .acknowledged(let predecessor): acknowledged(predecessor, event)
    case .owner(let predecessor): owner(predecessor, event)
    case .ended: [.ignored("\(event) after the end")]
    }
  }

  private mutating func idle(_ event: Event, at now: Instant) -> [Action] {
    switch event {
    case .began: to(.greeting(answered: false), [.arm(.offer, at: now + limits.offer)])
    case .preamble, .message, .unknownFrame, .malformed, .closed, .predecessorDied, .prepared, .withdrawn, .deadline:
      [.ignored("\(event) before the beginning")]
    }
  }

  private mutating func greeting(_ answered: Bool, _ event: Event) -> [Action] {
    switch event {
    case .preamble(let preamble): answered ? [.ignored("a second preamble")] : greeted(preamble)
    case .message(.welcome(let process, let generation, let count), descriptors: 0) where answered:
      welcomed(process, generation, count)
    case .message(.refused(let refusal, let reason), _) where answered: fail(.refused(refusal, reason))
    case .message(let message, _): outOfOrder(message)
    case .unknownFrame(let type): unknown(type)
    case .malformed(let reason): fail(.foreign(reason), saying: answered ? reason : nil)
    case .closed, .predecessorDied: fail(.predecessorLost)
    case .withdrawn(let reason): fail(.withdrawn(reason), saying: reason)
    case .deadline(.offer):
      fail(
        answered
          ? .timedOut("it greeted, and made no offer within \(limits.offer)")
          : .timedOut("it accepted the connection and said nothing within \(limits.offer)"))
    case .began, .prepared, .deadline(.commit), .deadline(.death): notAwaited(event)
    }
  }

  private mutating func receiving(_ receiving: Receiving, _ event: Event) -> [Action] {
    switch event {
    case .message(.descriptors(let labels), let count): received(receiving, labels, count)
    case .message(.offered, descriptors: 0): offered(receiving)
    case .message(.abort(let reason), _): fail(.givenUp(reason))
    case .message(let message, _): outOfOrder(message)
    case .unknownFrame(let type): unknown(type)
    case .malformed(let reason): fail(.foreign(reason), saying: reason)
    case .closed, .predecessorDied: fail(.predecessorLost)
    case .withdrawn(let reason): fail(.withdrawn(reason), saying: reason)
    case .deadline(.offer):
      fail(.timedOut("its offer was not complete within \(limits.offer)"), saying: "the offer took too long")
    case .began, .preamble, .prepared, .deadline(.commit), .deadline(.death): notAwaited(event)
    }
  }

  private mutating func preparing(_ preparing: Preparing, _ event: Event, at now: Instant) -> [Action] {
    switch event {
    case .prepared: to(.ready(preparing), [.send(.ready), .arm(.commit, at: now + limits.commit)])
    case .message(.abort(let reason), _): fail(.givenUp(reason))
    case .message(let message, _): outOfOrder(message)
    case .unknownFrame(let type): unknown(type)
    case .malformed(let reason): fail(.foreign(reason), saying: reason)
    case .closed: to(.bereft(preparing), [.arm(.death, at: now + limits.death)])
    case .predecessorDied: to(.orphaned(preparing), [.close])
    case .withdrawn(let reason): fail(.withdrawn(reason), saying: reason)
    case .began, .preamble, .deadline: notAwaited(event)
    }
  }

  private mutating func ready(_ preparing: Preparing, _ event: Event, at now: Instant) -> [Action] {
    switch event {
    case .message(.commit, descriptors: 0):
      to(.acknowledged(preparing.predecessor), [.disarm(.commit), .send(.acknowledge)])
    case .message(.abort(let reason), _): fail(.givenUp(reason))
    case .message(let message, _): outOfOrder(message)
    case .unknownFrame(let type): unknown(type)
    case .malformed(let reason): fail(.foreign(reason), saying: reason)
    case .closed:
      to(
        .bereft(Preparing(predecessor: preparing.predecessor, prepared: true)),
        [.disarm(.commit), .arm(.death, at: now + limits.death)])
    case .predecessorDied:
      to(.owner(preparing.predecessor), [.disarm(.commit), .close, .own(because: .predecessorDied)])
    case .withdrawn(let reason): fail(.withdrawn(reason), saying: reason)
    case .deadline(.commit):
      fail(.timedOut("it did not commit within \(limits.commit)"), saying: "the commit took too long")
    case .began, .preamble, .prepared, .deadline(.offer), .deadline(.death): notAwaited(event)
    }
  }

  /// The connection ended before the commit.
  ///
  /// The predecessor may live and accept; only its death makes this the owner.
  private mutating func bereft(_ preparing: Preparing, _ event: Event) -> [Action] {
    switch event {
    case .prepared: to(.bereft(Preparing(predecessor: preparing.predecessor, prepared: true)), [])
    case .predecessorDied where preparing.prepared:
      to(.owner(preparing.predecessor), [.disarm(.death), .close, .own(because: .predecessorDied)])
    case .predecessorDied: to(.orphaned(preparing), [.disarm(.death), .close])
    case .deadline(.death): fail(.connectionLost)
    case .withdrawn(let reason): fail(.withdrawn(reason))
    case .began, .preamble, .message, .unknownFrame, .malformed, .closed, .deadline(.offer), .deadline(.commit):
      notAwaited(event)
    }
  }

  private mutating func orphaned(_ preparing: Preparing, _ event: Event) -> [Action] {
    switch event {
    case .prepared: to(.owner(preparing.predecessor), [.own(because: .predecessorDied)])
    case .withdrawn(let reason): fail(.withdrawn(reason))
    case .began, .preamble, .message, .unknownFrame, .malformed, .closed, .predecessorDied, .deadline: notAwaited(event)
    }
  }

  /// The commit was acknowledged.
  ///
  /// The predecessor never closes alive from here on, so the end of the connection is proof of its death; time proves
  /// nothing (H2).
  private mutating func acknowledged(_ predecessor: Predecessor, _ event: Event) -> [Action] {
    switch event {
    case .message(.released, descriptors: 0): to(.owner(predecessor), [.own(because: .released)])
    case .closed: to(.owner(predecessor), [.own(because: .predecessorDied)])
    case .predecessorDied: to(.owner(predecessor), [.close, .own(because: .predecessorDied)])
    case .withdrawn: [.ignored("withdrawing after the commit: this process will be the owner, and stops as one")]
    case .unknownFrame where unknownFrames >= Self.unknownFrameLimit: notAwaited(event)
    case .unknownFrame(let type): unknown(type)
    case .began, .preamble, .message, .malformed, .prepared, .deadline: notAwaited(event)
    }
  }

  private mutating func owner(_ predecessor: Predecessor, _ event: Event) -> [Action] {
    switch event {
    case .closed, .predecessorDied: to(.ended, [.close, .notify(.predecessorEnded(process: predecessor.process))])
    case .began, .preamble, .message, .unknownFrame, .malformed, .prepared, .withdrawn, .deadline: notAwaited(event)
    }
  }

  private func notAwaited(_ event: Event) -> [Action] {
    [.ignored("\(event), which is not awaited in the state \(state)")]
  }

  private mutating func outOfOrder(_ message: Message) -> [Action] {
    fail(.foreign("it sent \(message) where that does not belong"), saying: "\(message) does not belong here")
  }

  /// Answered, but not without end: the answers wait in a queue that a peer that does not read would fill.
  private mutating func unknown(_ type: UInt16) -> [Action] {
    unknownFrames += 1
    guard unknownFrames >= Self.unknownFrameLimit else { return [.send(.unknown(type: type))] }
    let reason = "\(unknownFrames) frames of types that are not known"
    if case .acknowledged = state { return [.ignored(reason)] }
    return fail(.foreign(reason), saying: reason)
  }

  private mutating func to(_ next: State, _ actions: [Action]) -> [Action] {
    state = next
    return actions
  }

  private mutating func fail(_ failure: Failure, saying reason: String? = nil) -> [Action] {
    state = .ended
    let goodbye: [Action] = reason.map { [.send(.abort($0))] } ?? []
    return [.disarm(.offer), .disarm(.commit), .disarm(.death)] + goodbye + [.close, .fail(failure)]
  }

  private mutating func greeted(_ preamble: Preamble) -> [Action] {
    guard preamble.version == Preamble.currentVersion else {
      let known = Preamble.currentVersion
      return fail(
        .refused(.unknownVersion, "it speaks version \(preamble.version) of the protocol, this program \(known)"))
    }
    return to(.greeting(answered: true), [])
  }

  private mutating func welcomed(_ process: UInt32, _ generation: UInt32, _ count: UInt32) -> [Action] {
    guard count <= descriptorLimit else {
      let reason = "it offers \(count) descriptors, and this process may open \(descriptorLimit) (RLIMIT_NOFILE)"
      return fail(.withdrawn(reason), saying: reason)
    }
    let predecessor = Predecessor(process: Int32(truncatingIfNeeded: process), generation: generation)
    return to(.receiving(Receiving(predecessor: predecessor, expected: Int(count))), [])
  }

  private mutating func received(_ receiving: Receiving, _ labels: [DescriptorLabel], _ count: Int) -> [Action] {
    guard labels.count == count else {
      let reason = "\(labels.count) descriptors were announced and \(count) arrived; is RLIMIT_NOFILE reached?"
      return fail(.withdrawn(reason), saying: reason)
    }
    var receiving = receiving
    receiving.labels += labels
    guard receiving.labels.count <= receiving.expected else {
      return fail(.foreign("it sent more descriptors than announced"), saying: "more descriptors than announced")
    }
    guard Set(receiving.labels.map(\.name)).count == receiving.labels.count else {
      return fail(.foreign("it sent two descriptors of one name"), saying: "two descriptors of one name")
    }
    return to(.receiving(receiving), [])
  }

  private mutating func offered(_ receiving: Receiving) -> [Action] {
    guard receiving.labels.count == receiving.expected else {
      let reason = "\(receiving.expected) descriptors were announced and \(receiving.labels.count) came"
      return fail(.withdrawn(reason), saying: reason)
    }
    let predecessor = receiving.predecessor
    return to(
      .preparing(Preparing(predecessor: predecessor)),
      [.disarm(.offer), .deliver(process: predecessor.process, generation: predecessor.generation)])
  }
}
