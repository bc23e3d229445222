/// What happens to a watch for stop files, and what it does.
extension StopFileWatchStateMachine {
  package enum Event: Hashable, Sendable {
    case began
    /// Something in the directory has changed.
    case changed
    /// The directory itself has gone, or what was watched is no longer told of.
    case ended
    /// The time of ``Action/wait(until:)`` has come.
    case due
    /// The directory, and the errno with which its entries cannot be changed (0: they can).
    case directory(StopFileLook, access: Int32)
    /// The answer of an earlier run has been removed, or has not (an errno).
    case cleared(Int32)
    /// Whether changes are told of from now on.
    case armed(Bool)
    /// Whether this process answers in this directory.
    case claimed(Claim)
    case request(StopFileLook)
    /// Whether a request may be taken: while a handover is going on, it is not decided which process it is for.
    case permission(Bool)
    /// The request has been removed, or has not (an errno).
    case removed(Int32)
    /// Whether it may be asked for; then no handover begins any more.
    case decided(Bool)
    /// A successor has taken over.
    case passedOn
    case left
  }

  package enum Claim: Hashable, Sendable {
    case ours
    /// Another process answers: the predecessor, until its successor has taken over.
    case held
    /// It cannot be known who does (an errno).
    case unknown(Int32)
  }

  package enum Action: Hashable, Sendable {
    case lookAtDirectory
    /// Become the process that answers, if there is none.
    case claim
    /// Remove the answer of an earlier run.
    case clear
    case arm
    case disarm
    case lookAtRequest
    case lookAtPermission
    case removeRequest
    case requestPermission
    /// Make the request anew: it was taken at the moment in which the successor was.
    case putBack
    /// Ask for the stop.
    case ask
    case tell(Place, StopFileObjection)
    case wait(until: Instant)
  }

  package enum Place: Hashable, Sendable { case directory, request, answer, lock }
}
