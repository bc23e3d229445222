internal import ArgumentParser
internal import CGracefulSystem
internal import Graceful
internal import GracefulTriggers

/// `graceful status`: where everything in a program is.
struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows where everything in a running program is.",
    discussion: """
      With --watch it goes on until the program has ended: on a terminal as a live tree, elsewhere with a line for each \
      change. Of a program that was replaced, the successor is watched.

      Exit codes: 0, 124 no answer in time, 69 nobody there, 77 not allowed, 64 wrong usage, 1 an answer \
      that is no status.
      """)

  @OptionGroup var program: ProgramOptions

  @Option(help: "How long to wait for an answer: 5s, 500ms.")
  var timeout = DurationArgument(argument: "5s")!

  @Flag(help: "As JSON (schemas/lifecycle-snapshot-1.json); with --watch, one after the other.")
  var json = false

  @Flag(help: "Go on until the program has ended.")
  var watch = false

  func validate() throws {
    guard (program.socket == nil) != (program.url == nil) else {
      throw ValidationError("which program? give --socket PATH or --url URL, one of them")
    }
  }

  func run() throws {
    do throws(CommandFailure) {
      var view = StatusView(json: json, watch: watch)
      if let url = program.url {
        try view.ask(ProgramURL(url), token: program.token(), within: timeout)
      } else if let socket = program.socket {
        try view.ask(socket, within: timeout)
      }
    } catch {
      throw error.end("status")
    }
  }
}

/// What is shown of a status, once or again and again.
struct StatusView {
  let json: Bool
  let watch: Bool
  private let live = LiveLines(on: 1)
  private var last: LifecycleSnapshot?
  private var hasShown = false
  private var hasFinished = false

  init(json: Bool, watch: Bool) {
    self.json = json
    self.watch = watch
  }

  mutating func show(_ text: String, from source: String) throws(CommandFailure) {
    hasShown = true
    if json { return StandardStreams.say(text.hasSuffix("\n") ? String(text.dropLast()) : text) }
    let snapshot: LifecycleSnapshot
    do throws(ReportFormatError) {
      snapshot = try LifecycleSnapshot(json: text)
    } catch {
      throw .failed("what was answered is no snapshot of schema 1")
    }
    let tree = StatusTree(snapshot: snapshot, source: source)
    if watch && live.isTerminal {
      live.show(tree.lines)
    } else {
      for line in watch ? tree.changes(since: last) : tree.lines { StandardStreams.say(line) }
    }
    last = snapshot
    hasFinished = snapshot.state == .finished
  }

  mutating func ask(_ url: ProgramURL, token: String?, within timeout: DurationArgument) throws(CommandFailure) {
    repeat {
      let answer: ProgramHTTP.Answer
      do { answer = try ProgramHTTP.get(url, "/status", token: token, within: timeout.duration) } catch {
        // It has been seen, and is gone: that is what was waited for.
        guard watch, hasShown, error.code == 69 else { throw error }
        return live.keep()
      }
      guard answer.status == 200 else { throw answer.failure(of: url) }
      try show(answer.body, from: "")
      if watch { Waiting.pause(.milliseconds(250), until: .now + .seconds(1)) }
    } while watch && !hasFinished
  }

  mutating func ask(_ path: String, within timeout: DurationArgument) throws(CommandFailure) {
    let request = ControlRequest.status(every: watch ? .milliseconds(250) : nil)
    var deadline = ContinuousClock.now + timeout.duration
    var reason: String?
    while true {
      let client: ControlClient
      do { client = try ControlClient.ask(request, at: path, until: deadline) } catch {
        // It has been seen, and is gone: that is what was waited for.
        guard watch, hasShown, error.code == 69 else { throw error }
        return live.keep()
      }
      switch try listen(to: client, at: path, until: deadline, timeout) {
      case .shown: return
      // Its process has ended; perhaps another one is there now.
      case .ended: deadline = .now + timeout.duration
      case .again(let why): reason = why
      }
      guard ContinuousClock.now < deadline else {
        let what = reason.map { "refused within \(timeout): \($0)" } ?? "did not answer within \(timeout)"
        throw .late("the process at \(path) \(what)")
      }
      Waiting.pause(.milliseconds(50), until: deadline)
    }
  }

  private enum Outcome {
    case shown, ended
    case again(String)
  }

  private mutating func listen(
    to client: ControlClient, at path: String, until first: ContinuousClock.Instant, _ timeout: DurationArgument
  ) throws(CommandFailure) -> Outcome {
    var parts = DocumentParts()
    var deadline = first
    while true {
      switch try client.next(until: deadline) {
      case .comeAgain(let reason): return .again(reason)
      case .ended: return .ended
      case .nothing: throw .late("the process at \(path) did not answer within \(timeout)")
      case .answer(let answer):
        guard let document = try parts.add(answer) else { continue }
        try show(document, from: client.source)
        if !watch { return .shown }
        deadline = .now + timeout.duration
      }
    }
  }
}
