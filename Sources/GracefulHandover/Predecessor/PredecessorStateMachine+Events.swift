/// What happens to a predecessor, what it does, and what it tells.
extension PredecessorStateMachine {
  /// What peers may want.
  package struct Services: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    /// To take over.
    package static let handover = Services(rawValue: 1)
    /// To ask for a stop, a restart or the state; the control server answers that.
    package static let control = Services(rawValue: 2)
  }

  package struct ConnectionID: Hashable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
  }

  package enum Event: Equatable, Sendable {
    /// This process is ready itself; it can be taken over from now on.
    case started
    case connected(ConnectionID, process: Int32)
    case preamble(ConnectionID, Preamble)
    case message(ConnectionID, Message)
    case unknownFrame(ConnectionID, type: UInt16)
    case malformed(ConnectionID, String)
    /// The end of the connection, or the death of the process behind it.
    case closed(ConnectionID)
    /// Nothing is accepted here any more: the answer to the pause of that number.
    case acceptingPaused(Int)
    case deadline(Timer)
    case restartRequested
    case spawned(process: Int32)
    case spawnFailed(String)
    case childExited(process: Int32, String)
    case stopRequested
    /// Nothing is to be handed over any more.
    case left
  }

  package enum Action: Equatable, Sendable {
    case send(ConnectionID, Message)
    /// Sends the welcome, all descriptors with their labels, and `offered`.
    case offer(ConnectionID)
    /// The control server speaks with it from now on; nothing is heard of it any more.
    case giveAway(ConnectionID, program: String)
    /// Sends what is queued, then closes.
    case close(ConnectionID)
    case kill(ConnectionID)
    case killChild(process: Int32)
    case arm(Timer, at: Instant)
    case disarm(Timer)
    /// The number tells the answers of two pauses apart, when the first came to nothing.
    case pauseAccepting(Int)
    case resumeAccepting
    /// No peer that connects from now on reaches this process; the socket is the successor's.
    case closeListener
    /// Removes the path, and closes the listener: the next one is the first.
    case giveUpSocket
    case spawn
    /// What people are told.
    case notify(HandoverEvent)
    case ignored(String)
  }

  package enum Timer: Hashable, Sendable {
    case connection(ConnectionID)
    case child(process: Int32)
  }
}
