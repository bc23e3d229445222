internal import GracefulDescriptors
internal import GracefulSystem
internal import SystemPackage

/// By SIGTERM, to a process that is known by its number alone.
struct StopBySignal: StopCarrier {
  let number: Int32
  /// The second SIGTERM cancels what drains; 0: the process was asked already.
  let signals: Int
  private let process: WatchedProcess

  /// - Throws: 64 for a number that cannot be one of a process, 69 when there is no such process.
  init(_ number: Int32, signals: Int) throws(CommandFailure) {
    guard number > 0 else { throw .usage("--pid takes the number of a process, and not \(number)") }
    do { process = try WatchedProcess(number) } catch {
      guard error.errno == .noSuchProcess || error.errno == .invalidArgument else { throw .failed("\(error)") }
      throw .nobody("there is no process \(number)")
    }
    // A zombie: its parent has not looked yet.
    if process.hasEnded(by: .now) == true { throw .nobody("process \(number) has ended already") }
    self.number = number
    self.signals = signals
  }

  var program: String { "process \(number)" }
  var waiting: String? {
    signals == 0
      ? "waiting for the end of process \(number)" : "process \(number) was sent SIGTERM; waiting for its end"
  }

  /// A process does not say what holds it up.
  var advice: String {
    let more =
      switch signals {
      case 0: ""
      case 1: "; to wait on, ask with --wait-only: one more SIGTERM cancels what it does"
      default: "; to wait on, ask with --wait-only: one more SIGTERM ends it at once"
      }
    return "; \(StopLimit.whereToLook)\(more)"
  }

  mutating func ask(_ limit: StopLimit) throws(CommandFailure) {
    if signals > 0 { try mayBeStopped() }
    for count in 0..<signals {
      // Signals of one number that come at once are one (signal(7)): the first must have been taken.
      if count > 0, process.hasEnded(by: min(.now + .milliseconds(100), limit.deadline)) == true { return }
      try signal(again: count > 0)
    }
  }

  mutating func next(_ limit: StopLimit) -> StopNews { .ending(process) }

  /// The kernel would say so as well, but not of a process of ours that root may stop by mistake.
  private func mayBeStopped() throws(CommandFailure) {
    let user = ThisProcess.user
    guard user != 0, let status = try? FileStatus.read(at: "/proc/\(number)"), status.user != user else { return }
    throw .notAllowed("process \(number) belongs to user \(status.user), and only that user and root may stop it")
  }

  private func signal(again: Bool) throws(CommandFailure) {
    do { try process.signal(15) } catch {
      switch error.errno {
      case .noSuchProcess:
        // Between the look and the signal; the second one is of no use then.
        if !again { throw .nobody("process \(number) has ended already") }
      case .notPermitted: throw .notAllowed("process \(number) is not user \(ThisProcess.user)'s to stop")
      default: throw .failed("\(error)")
      }
    }
  }
}
