/// What happens to a client that asks by a file, what it does, and how it ends.
extension StopFileClientStateMachine {
  package enum Event: Hashable, Sendable {
    case began
    case directory(StopFileLook)
    case answer(StopFileLook)
    case request(StopFileLook)
    /// The answer of an earlier run, or a request that no program would believe, has been removed, or has not (an errno).
    case cleared(Int32)
    /// Whether changes are told of from now on.
    case armed(Bool)
    /// The request is there, and ours; or an errno.
    case created(StopFileLook)
    /// Something in the directory has changed.
    case changed
    /// The answer has been put there, and may have gone again.
    case arrived
    /// The directory has gone, or what was watched is no longer told of.
    case ended
    /// The time of ``Action/wait(until:)`` has come.
    case due
    /// The process that the answer names, if it lives; `nil` when it names none that can be known.
    case process(lives: Int32?)
    /// The process that ``Action/watchProcess`` watches has ended.
    case exited
    /// The caller does not want to wait any more.
    case interrupted
    case takenBack(Int32)
  }

  package enum Action: Hashable, Sendable {
    case lookAtDirectory
    case lookAtAnswer
    case lookAtRequest
    case clear
    /// Remove a request that no program would believe.
    case clearRequest
    case arm
    case create
    /// Look which process the answer names, and watch it.
    case watchProcess
    case wait(until: Instant)
    case takeBack
    case tell(Progress)
    case finish(Ending)
  }

  /// How long it waits between two rounds.
  package struct Pace: Hashable, Sendable {
    /// Where changes are told of: a network file system may tell of those of this machine only.
    package var watched: Duration
    /// At most: a twentieth of the time that it has waited already, and a millisecond at least.
    ///
    /// Shorter than any program takes to start again, which removes the answer of its predecessor.
    package var unwatched: Duration
    /// After how long it asks to be told of changes.
    ///
    /// A process that ends with a watch takes 5 to 24 ms longer to be gone: a client that is answered soon does not wait for that.
    package var unwatchedFor: Duration

    package init(
      watched: Duration = .milliseconds(50), unwatched: Duration = .milliseconds(5),
      unwatchedFor: Duration = .seconds(1)
    ) {
      self.watched = watched
      self.unwatched = unwatched
      self.unwatchedFor = unwatchedFor
    }
  }

  /// How far it is.
  package enum Progress: Hashable, Sendable {
    case asked
    /// The program has taken the request.
    case heard
    /// An answer that is not believed.
    case refused(StopFileObjection)
    /// It has answered, and has not ended yet.
    case exiting(process: Int32)
    /// Nothing new.
    case waiting
  }

  package enum Ending: Hashable, Sendable {
    case stopped
    /// `heard`: whether the request was taken; `nil` when that is not known. `running`: it has answered, and not ended.
    case notInTime(heard: Bool?, running: Int32?)
    case interrupted(heard: Bool?)
    case noDirectory
    case directoryRefused(StopFileObjection)
    /// What is in the request's place.
    case requestRefused(StopFileObjection)
    /// An errno.
    case directoryFailed(Int32)
    case createFailed(Int32)
  }
}
