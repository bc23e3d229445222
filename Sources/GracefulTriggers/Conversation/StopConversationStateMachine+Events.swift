/// What happens in a conversation about a stop, and what is done about it.
extension StopConversationStateMachine {
  /// What the client wants to know.
  package enum Interest: Hashable, Sendable {
    /// That the program will stop, and no more.
    case acceptance
    /// That it has stopped; until then, where everything is, so often, to a client that asks for that.
    case end(within: Duration? = nil, snapshotsEvery: Duration? = nil)
    /// What changes until it has stopped.
    case changes(within: Duration? = nil)
  }

  package enum Event: Hashable, Sendable {
    case requested(Interest)
    /// This is the process to be stopped; how far it is before the stop is requested.
    case permitted(StopAnswer)
    /// This is not the process to be stopped, or that is not decided yet.
    case refused(String)
    /// The time to show a snapshot has come.
    case due
    /// The time to look has come, and this was seen.
    case looked(StopAnswer)
    /// The report is there.
    case ended(StopAnswer)
    /// The server that carries the conversation is closing: what is known now, is all that it can say.
    case dismissed(StopAnswer)
    /// The client has gone.
    case gone
  }

  package enum Action: Hashable, Sendable {
    /// Find out whether this is the process to be stopped: ``Event/permitted(_:)`` or ``Event/refused(_:)``.
    case requestPermission
    case requestStop
    /// The stop has been requested, and the conversation goes on.
    case accept(StopAnswer)
    /// Show where everything is, unless what was shown before has not been read.
    case snapshot
    case say(StopAnswer)
    /// Nothing is new; the connection is shown to be alive.
    case sayNothing
    /// Report ``Event/looked(_:)``, or ``Event/due`` where snapshots are shown, at that instant and not before.
    case look(at: Instant)
    /// The last word.
    case finish(Outcome, StopAnswer)
    /// The last word: nothing was requested.
    case refuse(String)
    /// The event cannot happen in this state.
    case ignored(String)
  }

  /// How a request for a stop ended, for its client.
  package enum Outcome: Hashable, Sendable {
    /// The program will stop; the client does not wait for that.
    case accepted
    /// The program has stopped.
    case stopped
    /// The program had not stopped when the time was over.
    case late
  }
}
