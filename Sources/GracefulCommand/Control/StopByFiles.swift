internal import Graceful
internal import GracefulTriggers

extension StopWait {
  /// By the stop files of the program: ``StopFiles``.
  mutating func throughFiles(in directory: String, now: Bool) throws(CommandFailure) -> String {
    if now { throw .usage("--now is not to be had by a file; use --socket, or --pid") }
    defer { show.clear() }
    tell("asked by a file in \(directory.shown) to stop; waiting")
    do {
      try StopFiles(directory: directory).requestStopAndWait(timeout: max(deadline - .now, .zero))
    } catch {
      throw CommandFailure(code: error.exitCode, message: "\(error)")
    }
    return "the program that is stopped by files in \(directory.shown) has stopped"
  }
}
