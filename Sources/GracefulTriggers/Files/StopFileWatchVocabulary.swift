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
    case request(StopFileLook)
    /// The request has been removed, or has not (an errno).
    case removed(Int32)
    case left
  }

  package enum Action: Hashable, Sendable {
    case lookAtDirectory
    /// Remove the answer of an earlier run.
    case clear
    case arm
    case disarm
    case lookAtRequest
    case removeRequest
    /// Ask for the stop.
    case ask
    case tell(Place, StopFileObjection)
    case wait(until: Instant)
  }

  package enum Place: Hashable, Sendable { case directory, request, answer }
}
