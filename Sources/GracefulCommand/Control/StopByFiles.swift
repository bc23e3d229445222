internal import Graceful
internal import GracefulTriggers

/// By the stop files of the program: ``StopFiles``.
struct StopByFiles: StopCarrier {
  let directory: String
  private var client: StopFileClient?

  init(directory: String, now: Bool) throws(CommandFailure) {
    if now { throw .usage("--now is not to be had by a file; use --socket, or --pid") }
    self.directory = directory
  }

  var program: String { "the program that is stopped by files in \(directory.shown)" }
  var waiting: String? { "asked by a file in \(directory.shown) to stop; waiting" }

  mutating func ask(_ limit: StopLimit) throws(CommandFailure) {
    do throws(StopFileError) {
      client = try StopFileClient(StopFiles(directory: directory), timeout: max(limit.left, .zero))
    } catch {
      throw failure(error, signal: 0)
    }
  }

  mutating func next(_ limit: StopLimit) throws(CommandFailure) -> StopNews {
    guard let client else { return .askAgain(nil, after: .zero) }
    let interruption = StopFileInterruption(of: client)
    do throws(StopFileError) { try client.run() } catch { throw failure(error, signal: interruption.signal) }
    return .stopped("\(program) has stopped")
  }

  private func failure(_ error: StopFileError, signal: Int32) -> CommandFailure {
    switch error.code {
    case .interrupted: CommandFailure(code: 128 + signal, message: "\(error)")
    // The files do not say it.
    case .notInTime: CommandFailure(code: error.exitCode, message: "\(error); \(StopLimit.whereToLook)")
    default: CommandFailure(code: error.exitCode, message: "\(error)")
    }
  }
}
