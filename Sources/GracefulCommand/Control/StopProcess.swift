internal import GracefulDescriptors
internal import GracefulSystem
internal import SystemPackage

extension StopWait {
  /// What a process that is known by its number is sent.
  enum ProcessAsking {
    case terminate
    /// A second SIGTERM, which cancels what drains.
    case terminateTwice
    /// Nothing: it was asked already.
    case nothing
  }

  /// By SIGTERM, to a process that is known by its number alone.
  mutating func ofProcess(_ number: Int32, _ asking: ProcessAsking) throws(CommandFailure) -> String {
    defer { show.clear() }
    guard number > 0 else { throw .usage("--pid takes the number of a process, and not \(number)") }
    let process: WatchedProcess
    do { process = try WatchedProcess(number) } catch {
      guard error.errno == .noSuchProcess || error.errno == .invalidArgument else { throw .failed("\(error)") }
      throw .nobody("there is no process \(number)")
    }
    // A zombie: its parent has not looked yet.
    if process.hasEnded(by: .now) == true { throw .nobody("process \(number) has ended already") }
    if case .nothing = asking {
      tell("waiting for the end of process \(number)")
    } else {
      try mayBeStopped(number)
      try signal(process)
      if case .terminateTwice = asking {
        // Signals of one number that come at once are one (signal(7)): the first must have been taken.
        let taken = ContinuousClock.now + .milliseconds(100)
        if process.hasEnded(by: min(taken, deadline)) == true { return "process \(number) has stopped" }
        try signal(process, again: true)
      }
      tell("process \(number) was sent SIGTERM; waiting for its end")
    }
    guard process.hasEnded(by: deadline) == true else { throw lateProcess(number, asking) }
    return "process \(number) has stopped"
  }

  /// A process does not say what holds it up.
  private func lateProcess(_ number: Int32, _ asking: ProcessAsking) -> CommandFailure {
    let late = "process \(number) has not stopped within \(limit)"
    switch asking {
    case .nothing: return .late("\(late); \(Self.whereToLook)")
    case .terminate:
      return .late(
        "\(late); \(Self.whereToLook); to wait on, ask with --wait-only: one more SIGTERM cancels what it does")
    case .terminateTwice:
      return .late(
        "\(late); \(Self.whereToLook); to wait on, ask with --wait-only: one more SIGTERM ends it at once")
    }
  }

  /// The kernel would say so as well, but not of a process of ours that root may stop by mistake.
  private func mayBeStopped(_ number: Int32) throws(CommandFailure) {
    let user = ThisProcess.user
    guard user != 0, let status = try? FileStatus.read(at: "/proc/\(number)"), status.user != user else { return }
    throw .notAllowed("process \(number) belongs to user \(status.user), and only that user and root may stop it")
  }

  private func signal(_ process: WatchedProcess, again: Bool = false) throws(CommandFailure) {
    do { try process.signal(15) } catch {
      switch error.errno {
      case .noSuchProcess:
        // Between the look and the signal; the second one is of no use then.
        if !again { throw .nobody("process \(process.number) has ended already") }
      case .notPermitted: throw .notAllowed("process \(process.number) is not user \(ThisProcess.user)'s to stop")
      default: throw .failed("\(error)")
      }
    }
  }
}
