internal import ArgumentParser
internal import Graceful
internal import GracefulNIO
internal import GracefulProcesses
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SystemPackage

/// An HTTP server that can be replaced, written as a user of the library would write it.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo", abstract: "Serves HTTP/1.1, and can be replaced without losing a request.",
    discussion: """
      Start it again with the same --socket, and the new process takes over from the running one. SIGHUP makes it \
      start its own successor. SIGTERM or SIGINT makes it answer what is there and end; a second one cancels, a third \
      one ends it at once.

      It answers GET / with its generation and process, GET /slow?ms=N after N milliseconds, GET /stream?ms=N with a \
      chunked body over N milliseconds, and POST /echo with the body. X-Request-Id is echoed.
      """)

  @Option(help: "A numeric address and a port; port 0 lets the system choose.")
  var listen = "127.0.0.1:8080"

  @Option(
    help: ArgumentHelp(
      "The handover socket: processes with the same one take over from each other.",
      discussion: "By default one in a directory of your own, named after the program and the address."))
  var socket: String?

  @Option(help: "How long each answer waits: 0ms, 200ms, 2s.")
  var responseDelay = DurationArgument(argument: "0ms")!

  @Option(
    help: ArgumentHelp(
      "From the request to stop to the exit at the latest: 10s, 500ms, 1m.",
      discussion: "Of it, at most 2s are kept for what must be cancelled and 1s for the report, each at most a quarter."
    ))
  var drainLimit = DurationArgument(argument: "10s")!

  @OptionGroup(title: "Asking for a stop")
  var ways: DemoStopWays

  func validate() throws {
    try ways.validate()
    guard ListenAddress(listen) != nil else {
      throw ValidationError(
        "--listen takes a numeric address and a port, such as 127.0.0.1:8080 or [::1]:8080, and not '\(listen)'")
    }
    guard drainLimit.duration > .zero else { throw ValidationError("--drain-limit must be longer than 0") }
  }

  func run() async throws {
    guard let address = ListenAddress(listen) else { throw ExitCode.validationFailure }
    let configuration: Handover.Configuration
    do throws(HandoverError) {
      let path: String
      if let socket {
        path = socket
      } else {
        path = try Handover.Configuration.defaultSocket(program: "demo", distinction: listen)
      }
      configuration = Handover.Configuration(socket: path, program: "graceful demo")
      try configuration.validate()
    } catch {
      StandardStreams.complain("graceful demo: \(error)")
      throw ExitCode(78)
    }

    let logger = Logger(label: "graceful.demo")
    let delay = responseDelay.duration
    let demo = Lifecycle("demo", grace: drainLimit.duration, lameDuck: ways.time, logger: logger)
    demo.phase("http") { phase in
      try await demo.withHandover(configuration, for: phase, restartOn: .hangup) { handover in
        let listener = try handover.listener("http", on: address)
        await RehearsalPause.ifAsked(of: handover)

        let generation = handover.generation
        let server = try await DrainingServer.adopt(
          listener, on: .singletonMultiThreadedEventLoopGroup, logger: logger
        ) { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addDrainingHTTP1Server()
            try channel.pipeline.syncOperations.addHandler(DemoHandler(generation: generation, delay: delay))
          }
        }
        let outcome = try await server.serve(in: phase, after: handover) {
          let port = UInt16(clamping: server.localAddress?.port ?? 0)
          let url = "http://\(ListenAddress(host: address.host, port: port))"
          StandardStreams.say("serving \(url) generation \(generation) pid \(ProcessID.current.rawValue)")
        }
        logger.info("drained", metadata: outcome.metadata)
      }
    }
    await demo.runAndExit(listeningTo: [.signals] + ways.triggers)
  }
}

/// For `graceful rehearse --fault`: a successor that waits, with its descriptors in hand, for being killed or stopped.
private enum RehearsalPause {
  static func ifAsked(of handover: Handover) async {
    guard handover.predecessor != nil, EnvironmentVariables.value(of: "GRACEFUL_REHEARSAL_PAUSE") == "1" else { return }
    StandardStreams.say("paused pid \(ProcessID.current.rawValue)")
    // Ends only with the process, or when the predecessor gives it up.
    await handover.failed()
  }
}

extension DrainOutcome {
  fileprivate var metadata: Logger.Metadata {
    [
      "connections.finished": "\(finished)", "connections.idle": "\(closedIdle)", "connections.cut": "\(cut)",
      "connections.broken": "\(broken)",
    ]
  }
}
