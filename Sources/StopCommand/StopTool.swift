internal import CGracefulSystem
internal import GracefulTriggers

/// Asks a program to stop by a file, and waits until it has: in the place of the `stop` of `noamt/stop`.
@main struct StopTool {
  static func main() {
    occupyStandardStreams()
    // Nothing is buffered, and taking down a runtime would only take time.
    cgs_exit_now(run(StopArguments.read(Array(CommandLine.arguments.dropFirst()))))
  }

  /// The parent process may have closed them: then what is written to standard error would go to whatever we open first.
  private static func occupyStandardStreams() {
    var opened = cgs_open_to_read("/dev/null")
    while 0...2 ~= opened { opened = cgs_open_to_read("/dev/null") }
    _ = cgs_close(opened)
  }

  private static func run(_ reading: StopArguments.Reading) -> Int32 {
    switch reading {
    case .help:
      write(StopArguments.help, to: 1)
      return 0
    case .mistake(let mistake):
      write("stop: \(mistake)\n\(StopArguments.usage)", to: 2)
      return 64
    case .arguments(let arguments): return run(arguments)
    }
  }

  private static func run(_ arguments: StopArguments) -> Int32 {
    for warning in arguments.warnings { write("stop: warning: \(warning)\n", to: 2) }
    var progress = StopProgress(arguments)
    do throws(StopFileError) {
      let driver = try StopFileClient(arguments.files, timeout: arguments.timeout)
      return try withExtendedLifetime(StopFileInterruption(of: driver)) { interruption throws(StopFileError) in
        do throws(StopFileError) {
          try driver.run { progress.show($0) }
          progress.clear()
          return 0
        } catch {
          progress.clear()
          write("stop: \(error)\n", to: 2)
          // The files do not say it.
          if error.code == .notInTime { write("stop: \(whereToLook)\n", to: 2) }
          return switch error.code {
          case .interrupted: 128 + interruption.signal
          // As the ancestor's, whose place it takes.
          case .notInTime: 1
          default: error.exitCode
          }
        }
      }
    } catch {
      write("stop: \(error)\n", to: 2)
      return error.exitCode
    }
  }

  private static let whereToLook =
    "`graceful status --socket` (or --url) shows which phase holds it up, where the program has such a socket"

  static func write(_ text: String, to descriptor: Int32) {
    let bytes = Array(text.utf8)
    _ = cgs_write(descriptor, bytes, bytes.count)
  }
}
