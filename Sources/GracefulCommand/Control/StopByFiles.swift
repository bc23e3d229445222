internal import Graceful
internal import GracefulTriggers

extension StopWait {
  /// By the stop files of the program: ``StopFiles``.
  mutating func throughFiles(in directory: String, now: Bool) throws(CommandFailure) -> String {
    if now { throw .usage("--now is not to be had by a file; use --socket, or --pid") }
    defer { show.clear() }
    tell("asked by a file in \(directory.shown) to stop; waiting")
    let client: StopFileClient
    do throws(StopFileError) {
      client = try StopFileClient(StopFiles(directory: directory), timeout: max(deadline - .now, .zero))
    } catch {
      throw failure(error, signal: 0)
    }
    let interruption = StopFileInterruption(of: client)
    do throws(StopFileError) { try client.run() } catch { throw failure(error, signal: interruption.signal) }
    return "the program that is stopped by files in \(directory.shown) has stopped"
  }

  private func failure(_ error: StopFileError, signal: Int32) -> CommandFailure {
    switch error.code {
    case .interrupted: CommandFailure(code: 128 + signal, message: "\(error)")
    // The files do not say it.
    case .notInTime: CommandFailure(code: error.exitCode, message: "\(error); \(Self.whereToLook)")
    default: CommandFailure(code: error.exitCode, message: "\(error)")
    }
  }
}
