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

      A restart counts as served when an answer is proven to come from the new process: by its own word (the demo's \
      'serving' line, a header such as X-Pid or X-Generation, 'pid' and 'generation' with a number in the body), or else \
      by the connection, whose other end is open in a process that is new, for half a second and in no old one. Where \
      neither is to be seen (a proxy, another machine or network namespace, another user's processes) nothing is known, \
      and nothing passes without --trust-restart. The load goes on until the old process has ended, or its time is over.

      An answer is right when it is 2xx and whole: by its length or its chunks, by the X-Request-Id that it echoes, and \
      with no bytes behind it. What its body says is looked at only with --expect-body.

      With --stop each round asks the server to stop, waits until it has ended with code 0, and starts its command \
      anew. Connections that are refused from the request until the next server answers are turned away: a client can \
      know, so they are no loss. Everything else that is not answered is one.

      The table and the verdict go to standard output (to standard error with --json -). Standard error of the server \
      is kept and its last lines are shown when something failed; --verbose passes it through.

      The load is a closed loop: each client waits for its answer before it asks again, after at most 20 ms. A time in \
      which the server answers slowly shows in few requests, so that percentiles look better than with clients that ask \
      at a rate of their own.

      Exit: 0 nothing lost, 1 something lost, left over, or slower than --max-p99 or --max-latency, 2 it could not be \
      done or is not known, 64 usage.
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
  @Flag(
    help: ArgumentHelp(
      "Have a restart count although it is not known which process answers.",
      discussion: "A command that exits with 0 is a restart then, and so is a new process while the URL answers."))
  var trustRestart = false
  @Option(
    help: ArgumentHelp(
      "What bodies are held against: a regular expression that matches in them, or length.",
      discussion: "length: as long as three answers before the load. Without it no body is judged.",
      valueName: "regex|length"))
  var expectBody: String?
  @Flag(help: "Follow redirects, before the load, to where the server answers; five at most.")
  var followRedirects = false
  @Option(help: "How long a server may take until it answers, and a restart until its outcome is known.")
  var readyLimit = DurationArgument(argument: "30s")!
  @Option(help: "When a request has timed out.") var requestLimit = DurationArgument(argument: "5s")!
  @Option(help: "The p99 that no mode's latency may exceed, before, during or between restarts.")
  var maxP99: DurationArgument?
  @Option(help: "The latency that no answered request may exceed.") var maxLatency: DurationArgument?
  @Option(help: "none, kill-before-ready or hang-before-ready: what happens to each second successor.")
  var fault = "none"
  @Option(help: "Where the JSON report goes, written at once at the end; - is standard output.") var json: String?
  @Option(help: "How long the load runs before the first restart.") var steady = DurationArgument(argument: "5s")!
  @Option(
    help: ArgumentHelp(
      "How long an old process may live under load after the last restart, and then once more without load.",
      discussion: "Also how long a process may live that --fault has stopped."))
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
    configuration.trustsRestarts = trustRestart
    configuration.followsRedirects = followRedirects
    configuration.readyLimit = readyLimit.duration
    configuration.requestLimit = requestLimit.duration
    configuration.maxP99 = maxP99?.duration
    configuration.maxLatency = maxLatency?.duration
    if let expectBody {
      guard let body = BodyExpectation(expectBody) else {
        throw ValidationError("--expect-body \(expectBody): it is length, or a regular expression")
      }
      configuration.expectedBody = body
    }
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
