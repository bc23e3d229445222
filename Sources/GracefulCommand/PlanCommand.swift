internal import ArgumentParser
internal import Graceful
internal import GracefulTriggers

/// `graceful plan`: how a running program would stop.
struct PlanCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plan", abstract: "Shows in which order a running program stops, and how long that may take.",
    discussion: """
      Of a program that does not run: GRACEFUL_PLAN=text PROGRAM.

      Exit codes: 0, 124 no answer in time, 69 nobody there, 77 not allowed, 64 wrong usage, 73 the picture cannot be \
      written.
      """)

  @Option(help: "The program's handover socket, or its control socket.")
  var socket: String

  @Option(help: "How long to wait for an answer: 5s, 500ms.")
  var timeout = DurationArgument(argument: "5s")!

  @Flag(help: "As JSON (schemas/lifecycle-plan-1.json).")
  var json = false

  @Flag(help: "As an SVG picture, for a browser; on standard output, unless --output says where.")
  var svg = false

  @Option(name: .shortAndLong, help: "Write to this file, which is replaced at once or not at all.")
  var output: String?

  func validate() throws {
    if json && svg { throw ValidationError("--json or --svg, one of them") }
  }

  func run() throws {
    let text: String
    do throws(CommandFailure) {
      text = try shown(asked())
    } catch {
      throw error.end("plan")
    }
    do {
      try OutputFile(output ?? "-").write(text)
    } catch {
      StandardStreams.complain("graceful plan: \(error)")
      throw ExitCode(73)
    }
  }

  private func asked() throws(CommandFailure) -> String {
    let deadline = ContinuousClock.now + timeout.duration
    while ContinuousClock.now < deadline {
      let client = try ControlClient.ask(.plan, at: socket, until: deadline)
      var parts = DocumentParts()
      listening: while true {
        switch try client.next(until: deadline) {
        case .answer(let answer): if let document = try parts.add(answer) { return document }
        case .comeAgain, .ended, .nothing: break listening
        }
      }
      Waiting.pause(.milliseconds(50), until: deadline)
    }
    throw .late("the process at \(socket) did not answer within \(timeout)")
  }

  private func shown(_ document: String) throws(CommandFailure) -> String {
    if json { return document }
    do {
      let plan = try StopPlan(json: document)
      return svg ? plan.svg() : plan.text
    } catch {
      throw .failed("what was answered is no plan: \(error)")
    }
  }
}
