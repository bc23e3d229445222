internal import Graceful
internal import GracefulTriggers
internal import Synchronization

extension StopWait {
  /// By the stop files of the program: ``StopFiles``.
  mutating func throughFiles(in directory: String, now: Bool) throws(CommandFailure) -> String {
    if now { throw .usage("--now is not to be had by a file; use --socket, or --pid") }
    defer { show.clear() }
    tell("asked by a file in \(directory.shown) to stop; waiting")
    let interruption = Interruption()
    do throws(StopFileError) {
      let driver = try StopAskingDriver(StopFiles(directory: directory), timeout: max(deadline - .now, .zero))
      interruption.listen(for: driver)
      try driver.run()
    } catch {
      throw failure(error, interruption)
    }
    return "the program that is stopped by files in \(directory.shown) has stopped"
  }

  private func failure(_ error: StopFileError, _ interruption: Interruption) -> CommandFailure {
    switch error.code {
    case .interrupted: CommandFailure(code: 128 + interruption.signal, message: "\(error)")
    // The files do not say it.
    case .notInTime: CommandFailure(code: error.exitCode, message: "\(error); \(Self.whereToLook)")
    default: CommandFailure(code: error.exitCode, message: "\(error)")
    }
  }
}

/// SIGINT, SIGTERM, SIGHUP: the request is taken back, as the command `stop` does, and the exit code is as if the signal
/// had ended the command.
private final class Interruption: Sendable {
  private let arrived = Atomic<Int32>(0)
  var signal: Int32 { arrived.load(ordering: .acquiring) }

  /// Until the end of the process.
  func listen(for driver: StopAskingDriver) {
    // Where they cannot be caught, they do what they always do.
    _ = try? SignalRegistry.shared.listen(for: [.interrupt, .terminate, .hangup]) { [self] signal in
      arrived.store(signal.rawValue, ordering: .releasing)
      driver.interrupt()
    }
  }
}
