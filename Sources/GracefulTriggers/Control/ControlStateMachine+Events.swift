/// What happens at a control socket, and what is done about it.
extension ControlStateMachine {
  package struct ConnectionID: Hashable, Sendable {
    package let number: Int
    package init(_ number: Int) { self.number = number }
  }

  package enum Event: Equatable, Sendable {
    /// A peer that is allowed to ask, and speaks of control.
    case connected(ConnectionID)
    case request(ConnectionID, ControlRequest)
    /// It broke the protocol, or asked for what is not known here.
    case malformed(ConnectionID, ControlAnswer.Refusal, String)
    case closed(ConnectionID)
    case deadline(ConnectionID)
    /// The answer to ``Action/requestPermission(_:)``: ``StopConversationStateMachine/Event/permitted(_:)`` or `refused`.
    case decided(ConnectionID, StopConversationStateMachine.Event)
    /// A successor has taken over.
    case restarted(process: UInt32)
    case restartFailed(String)
    /// The end of everything.
    case finished(StopAnswer)
  }

  package enum Action: Equatable, Sendable {
    /// Says who this is.
    case greet(ConnectionID)
    case send(ConnectionID, ControlAnswer)
    /// Sends where everything is.
    case sendSnapshot(ConnectionID)
    /// The same, unless what was sent before has not been read.
    case offerSnapshot(ConnectionID)
    case sendPlan(ConnectionID)
    /// Find out whether this is the process to be stopped: ``Event/decided(_:_:)``.
    case requestPermission(ConnectionID, ControlRequest.Stop)
    /// The stop for which permission was requested; its connection may have gone meanwhile.
    case requestStop(ConnectionID)
    case restart
    case arm(ConnectionID, at: Instant)
    case disarm(ConnectionID)
    /// Sends what is queued, then closes.
    case close(ConnectionID)
    case ignored(String)
  }

  /// What there is to ask for, beside a stop.
  package struct Abilities: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    /// There is a lifecycle to be shown.
    package static let show = Abilities(rawValue: 1)
    /// There is a handover.
    package static let restart = Abilities(rawValue: 2)
  }
}

/// How long peers at a control socket may take, and how many of them there may be.
package struct ControlLimits: Hashable, Sendable {
  /// From the connection to the request.
  package var request = Duration.seconds(2)
  /// To read what was answered, and to go.
  package var leave = Duration.seconds(10)
  /// The shortest interval in which a peer is told of the progress.
  package var shortest = Duration.milliseconds(50)
  /// The rest is told to come again.
  package var connections = 32

  package init() {}
}
