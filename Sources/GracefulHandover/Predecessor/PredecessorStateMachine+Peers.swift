/// The peers that come to the socket: what they want, and which are turned away.
extension PredecessorStateMachine {
  mutating func connected(_ id: ConnectionID, process: Int32, at now: Instant) -> [Action] {
    guard connections[id] == nil else { return [.ignored("a connection that is known")] }
    // The peer that has said nothing for longest goes: those that are silent keep no other away.
    var actions: [Action] = []
    if connections.count >= Self.connectionLimit {
      guard let silent = oldestSilent else {
        return [.send(id, .refused(.starting, Self.crowded)), .close(id)]
      }
      actions = refuse(silent, .starting, Self.crowded)
    }
    connections[id] = .greeting(process: process)
    return actions + [.arm(.connection(id), at: now + limits.greeting)]
  }

  static var crowded: String { "\(connectionLimit) others are connected; come again" }

  private var oldestSilent: ConnectionID? {
    connections.filter { if case .greeting = $0.value { true } else { false } }.keys.min { $0.number < $1.number }
  }

  func isTalking(_ id: ConnectionID) -> Bool {
    if case .handover = connections[id] { true } else { false }
  }

  func refusal(of preamble: Preamble) -> (Message.Refusal, String)? {
    if preamble.version != Preamble.currentVersion {
      let known = Preamble.currentVersion
      return (.unknownVersion, "this process speaks version \(known) of the protocol, not \(preamble.version)")
    }
    if preamble.purpose == .handover {
      return services.contains(.handover)
        ? nil : (.unknownPurpose, "this socket is for control requests alone, and nothing is taken over here")
    }
    if preamble.purpose == .control {
      return services.contains(.control) ? nil : (.unknownPurpose, "this process does not answer control requests")
    }
    return (.unknownPurpose, "purpose \(preamble.purpose.rawValue) is not known here")
  }

  mutating func refuse(
    _ id: ConnectionID, _ preamble: Preamble, otherwise refusal: Message.Refusal, _ reason: String
  ) -> [Action] {
    let (refusal, reason) = self.refusal(of: preamble) ?? (refusal, reason)
    return refuse(id, refusal, reason)
  }

  mutating func refuse(_ id: ConnectionID, _ refusal: Message.Refusal, _ reason: String) -> [Action] {
    switch connections[id] {
    case .greeting(let process), .handover(let process):
      connections[id] = nil
      unknownFrames[id] = nil
      return [
        .disarm(.connection(id)), .send(id, .refused(refusal, reason)), .close(id),
        .notify(.peerRefused(process: process, reason: reason)),
      ]
    case .givenUp: return [.ignored("what a successor that was given up sends: \(reason)")]
    case nil: return [.ignored("a connection that is not known: \(reason)")]
    }
  }

  /// Whether the control server answers it: a control request, whatever this process is doing.
  ///
  /// But not after it has released: then the successor is meant, and it will answer a peer that comes again.
  func isForOthers(_ preamble: Preamble) -> Bool {
    if case .released = state { return false }
    return preamble.purpose == .control && refusal(of: preamble) == nil
  }

  mutating func giveAway(_ id: ConnectionID, _ preamble: Preamble) -> [Action] {
    guard case .greeting = connections[id] else { return refuse(id, .malformed, "a second preamble") }
    connections[id] = nil
    unknownFrames[id] = nil
    return [.disarm(.connection(id)), .giveAway(id, program: preamble.program)]
  }

  /// A process that wants to take over finds nothing to take over, and is to be the first.
  mutating func makeRoom(_ id: ConnectionID, _ preamble: Preamble) -> [Action] {
    if let (refusal, reason) = refusal(of: preamble) { return refuse(id, refusal, reason) }
    guard case .greeting = connections[id] else { return refuse(id, .malformed, "a second preamble") }
    return [.giveUpSocket] + refuse(id, .stopping, "the process here has left; the socket is free")
  }

  mutating func begin(_ id: ConnectionID, _ preamble: Preamble, at now: Instant) -> [Action] {
    guard case .greeting(let process) = connections[id] else {
      return refuse(id, .malformed, "a second preamble")
    }
    connections[id] = .handover(process: process)
    let disarmed: [Action] =
      if case .waiting(let child) = restart { [.disarm(.child(process: child))] } else { [] }
    restart = nil
    state = .offering(Offer(connection: id, process: process))
    return disarmed + [
      .arm(.connection(id), at: now + limits.ready), .offer(id),
      .notify(.offering(process: process, program: preamble.program)),
    ]
  }

  mutating func outOfOrder(_ id: ConnectionID, _ message: Message, at now: Instant) -> [Action] {
    switch connections[id] {
    case .greeting: refuse(id, .malformed, "a message before the preamble")
    case .handover: receive(.malformed(id, "the message \(message) where it does not belong"), at: now)
    case .givenUp: [.ignored("what a successor that was given up says")]
    case nil: [.ignored("a message on a connection that is not known")]
    }
  }

  mutating func unknown(_ id: ConnectionID, type: UInt16, at now: Instant) -> [Action] {
    guard connections[id] != nil else { return [.ignored("a frame on a connection that is not known")] }
    let count = unknownFrames[id, default: 0] + 1
    unknownFrames[id] = count
    guard count < Self.unknownFrameLimit else {
      return receive(.malformed(id, "\(count) frames of types that are not known"), at: now)
    }
    return [.send(id, .unknown(type: type))]
  }

  mutating func forget(_ id: ConnectionID) -> [Action] {
    unknownFrames[id] = nil
    guard connections.removeValue(forKey: id) != nil else { return [] }
    return [.disarm(.connection(id)), .close(id)]
  }

  mutating func late(_ id: ConnectionID) -> [Action] {
    switch connections[id] {
    case .greeting: return refuse(id, .malformed, "nothing complete came within \(limits.greeting)")
    case .givenUp(let process):
      connections[id] = nil
      unknownFrames[id] = nil
      return [.kill(id), .close(id), .notify(.successorKilled(process: process))]
    case .handover, nil: return [.ignored("a deadline of a connection that has none")]
    }
  }
}
