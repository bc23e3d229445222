internal import ArgumentParser
internal import Graceful

/// `graceful stop`: asks a program to stop, and waits until its process is gone.
struct StopCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stop", abstract: "Stops a program, and waits until its process is gone.",
    discussion: """
      Name the program in one of these ways. On a terminal it shows what is draining while it waits. When the time is \
      over, the program goes on draining, and can be asked again, or with --now, which cancels.

      With --pid it is otherwise: each time it is sent SIGTERM. The second one that a process gets cancels what it does, \
      and the third ends it at once (exit code 143). So wait on with --wait-only, which sends nothing; and one that has been \
      sent SIGTERM already is cancelled without --now, which sends two.

      Exit codes: 0 stopped, 124 not in time, 69 nobody there, 77 not allowed, 64 wrong usage, 1 an answer that says no \
      (HTTP 400 or 500), or the connection ended before it, 74 the system refused a file (a full disk), 128+n the asking \
      by files was ended by signal n, and the request taken back. How the program ended is not the exit code.
      """)

  @OptionGroup var target: StopTargetOptions

  @Option(help: "How long to wait: 30s, 500ms, 2m.")
  var timeout = DurationArgument(argument: "30s")!

  @Flag(help: "Cancel at once what runs, in order, instead of letting it finish; with --pid by two SIGTERMs.")
  var now = false

  @Flag(help: "With --pid: send nothing, and wait until the process has ended.")
  var waitOnly = false

  func validate() throws {
    try target.validate(whatFor: "stop")
    guard waitOnly else { return }
    if target.pid == nil {
      throw ValidationError("--wait-only is for --pid; in the other ways asking again does no harm")
    }
    if now { throw ValidationError("--wait-only sends nothing, and --now two signals: give one of them") }
  }

  func run() throws {
    do throws(CommandFailure) {
      var wait = StopWait(within: timeout)
      let stopped =
        switch try target.chosen() {
        case .socket(let path): try wait.run(StopBySocket(path: path, now: now, interval: wait.interval))
        case .process(let number): try wait.run(StopBySignal(number, signals: waitOnly ? 0 : now ? 2 : 1))
        case .url(let url): try wait.run(StopByURL(url: url, token: target.program.token(), now: now))
        case .directory(let directory): try wait.run(StopByFiles(directory: directory, now: now))
        }
      StandardStreams.say(stopped)
    } catch {
      throw error.end("stop")
    }
  }
}

/// Which program is meant.
struct StopTargetOptions: ParsableArguments {
  @OptionGroup var program: ProgramOptions

  @Option(help: "The number of its process, which is sent SIGTERM, unless --wait-only is given.")
  var pid: Int32?

  @Option(help: "The directory of its stop files.")
  var directory: String?

  enum Chosen {
    case socket(String)
    case process(Int32)
    case url(ProgramURL)
    case directory(String)
  }

  func validate(whatFor command: String) throws {
    let given = [program.socket, pid.map { "\($0)" }, program.url, directory].compactMap { $0 }
    guard given.count == 1 else {
      throw ValidationError(
        given.isEmpty
          ? "which program? give --socket PATH, --pid PID, --url URL or --directory DIR"
          : "give one of --socket, --pid, --url and --directory, and not \(given.count) of them")
    }
  }

  func chosen() throws(CommandFailure) -> Chosen {
    if let socket = program.socket { return .socket(socket) }
    if let pid { return .process(pid) }
    if let url = program.url { return .url(try ProgramURL(url)) }
    return .directory(directory ?? ".")
  }
}
