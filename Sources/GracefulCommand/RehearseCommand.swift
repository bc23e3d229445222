internal import ArgumentParser
internal import CGracefulSystem
internal import Foundation
internal import GracefulDescriptors
internal import GracefulRehearsal
internal import SystemPackage

/// `graceful rehearse`.
struct RehearseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rehearse",
    abstract: "Puts a server under load, restarts or stops it many times, and counts what was lost.",
    discussion: """
      Without a command it rehearses 'graceful demo'. A command word 'graceful' is this very executable; a demo gets a \
      free port and a socket of its own unless --listen and --socket are given. Any other server needs --url.

      With --stop each round asks the server to stop, waits until it has ended with code 0, and starts its command \
      anew. Connections that are refused from the request until the next server answers are turned away: a client can \
      know, so they are no loss. Everything else that is not answered is one.

      The table and the verdict go to standard output (to standard error with --json -). Standard error of the server \
      is kept and its last lines are shown when something failed; --verbose passes it through.

      Exit: 0 nothing lost, 1 something lost or left over, 2 it could not be done, 64 usage.
      """)

  @Option(help: "How many restarts, or stops.") var restarts = 20
  @Option(help: "From one restart to the next, at least (1500ms, 5s, 2m).")
  var interval = DurationArgument(argument: "1500ms")!
  @Option(help: "How many clients of each mode.") var connections = 64
  @Option(help: "keepalive, new or both.") var mode = "both"
  @Option(help: "start-again, signal:NAME, or command:\"…\" with {pid} for the newest process.")
  var restart: String?
  @Option(
    help: ArgumentHelp(
      "Stops in place of restarts: signal:NAME, or command:\"…\" with {pid} for the newest process.",
      discussion: "The command may wait until the server has ended. Excludes --restart and --fault."))
  var stop: String?
  @Option(help: "How long a stop may take.") var stopLimit = DurationArgument(argument: "30s")!
  @Option(help: "Where the server answers (http://host:port/path).") var url: String?
  @Option(help: "A file with the number of the server's newest process.") var pidFile: String?
  @Option(help: "none, kill-before-ready or hang-before-ready: what happens to each second successor.")
  var fault = "none"
  @Option(help: "Where the JSON report goes, written at once at the end; - is standard output.") var json: String?
  @Option(help: "How long the load runs before the first restart.") var steady = DurationArgument(argument: "5s")!
  @Option(help: "How long an old process may live after the load has ended, and a stopped one after it was stopped.")
  var leftOverLimit = DurationArgument(argument: "15s")!
  @Flag(help: "Pass the server's standard error through.") var verbose = false
  @Argument(parsing: .postTerminator, help: "The server's command, after --.") var command: [String] = []

  func validate() throws {
    if let error = try parsed().usageError { throw ValidationError(error) }
  }

  func run() async throws {
    let configuration = try parsed()
    // The reader of the output may be gone before the end: that is an error of the write, and not our death.
    _ = cgs_signal_ignore(13)
    let code: Int32
    do throws(SystemError) {
      let file = try json.map { path throws(SystemError) in try OutputFile(path) }
      code = try await rehearse(configuration, file)
    } catch {
      StandardStreams.complain("the rehearsal could not be done: \(error)")
      throw ExitCode(2)
    }
    if code != 0 { throw ExitCode(code) }
  }

  private func rehearse(
    _ configuration: RehearsalConfiguration, _ file: OutputFile?
  ) async throws(SystemError) -> Int32 {
    let progress = RehearseProgress()
    let rehearsal = Task { await Rehearsal.run(configuration) { progress.show($0) } }
    let interrupt: RehearseInterrupt
    do throws(SystemError) {
      interrupt = try RehearseInterrupt { rehearsal.cancel() }
    } catch {
      // Nothing that it has started may outlive us.
      rehearsal.cancel()
      _ = await rehearsal.value
      throw error
    }
    let report = await rehearsal.value
    interrupt.end()
    progress.clear()
    let table = json == "-" ? FileDescriptor.standardError : .standardOutput
    _ = try? table.writeAll(report.table.utf8)
    var code = report.outcome.exitCode
    do throws(SystemError) {
      try file?.write(report.json + "\n")
    } catch {
      StandardStreams.complain("the report could not be written: \(error)")
      // The caller must not take the absence of the report for a pass; a loss stays a loss.
      if code == 0 { code = 2 }
    }
    return code
  }

  private func parsed() throws -> RehearsalConfiguration {
    let environment = ProcessInfo.processInfo.environment
    var configuration = RehearsalConfiguration(graceful: Self.ownExecutable, environment: environment)
    configuration.command = command
    configuration.restarts = restarts
    configuration.interval = interval.duration
    configuration.connections = connections
    configuration.steady = steady.duration
    configuration.leftOverLimit = leftOverLimit.duration
    configuration.pidFile = pidFile
    configuration.passesErrorOutput = verbose
    switch mode {
    case "keepalive": configuration.modes = [.keepalive]
    case "new": configuration.modes = [.new]
    case "both": configuration.modes = LoadMode.allCases
    default: throw ValidationError("--mode \(mode): it is keepalive, new or both")
    }
    if let restart {
      guard let method = RestartMethod(restart) else {
        throw ValidationError("--restart \(restart): it is start-again, signal:NAME (HUP, USR2, …) or command:\"…\"")
      }
      guard stop == nil else { throw ValidationError("--stop excludes --restart: a rehearsal has either") }
      configuration.restart = method
    }
    if let stop {
      guard let method = StopMethod(stop) else {
        throw ValidationError("--stop \(stop): it is signal:NAME (TERM, INT, …) or command:\"…\"")
      }
      configuration.stop = method
    }
    configuration.stopLimit = stopLimit.duration
    guard let fault = RehearsalFault(rawValue: fault) else {
      throw ValidationError("--fault \(fault): it is none, kill-before-ready or hang-before-ready")
    }
    configuration.fault = fault
    if let url {
      guard let target = TargetURL(url) else { throw ValidationError("--url \(url): it is http://host:port/path") }
      configuration.url = target
    }
    return configuration
  }

  /// The path of this program; the link itself would name whatever process reads it.
  private static var ownExecutable: String {
    let link = "/proc/self/exe"
    return (try? FileManager.default.destinationOfSymbolicLink(atPath: link)) ?? CommandLine.arguments[0]
  }
}
