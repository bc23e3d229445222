internal import NIOHTTP1

/// Over HTTP: `POST /shutdown?wait=…`.
///
/// Over a Unix socket the process is known, and waited for; over TCP its own word must do.
struct StopByURL: StopCarrier {
  let url: ProgramURL
  let token: String?
  private var process: WatchedProcess?

  init(url: ProgramURL, token: String?, now: Bool) throws(CommandFailure) {
    if now { throw .usage("--now is not to be had over HTTP; use --socket, or --pid") }
    self.url = url
    self.token = token
  }

  var program: String { "the program at \(url)" }
  var waiting: String? { "asked \(url) to stop; waiting" }

  /// Asking and being answered are one exchange.
  mutating func ask(_ limit: StopLimit) {}

  mutating func next(_ limit: StopLimit) throws(CommandFailure) -> StopNews {
    process = nil
    let left = max(limit.left, .milliseconds(1))
    let wait = min(max(1, Int64(left / .milliseconds(1))), 3_600_000)
    let answer: ProgramHTTP.Answer
    do throws(CommandFailure) {
      // A little longer than the other side waits: its answer says what holds it up.
      answer = try ProgramHTTP.send(
        .POST, url, "\(url.path.isEmpty ? "/shutdown" : url.path)?wait=\(wait)ms", token: token,
        within: left + .seconds(2)
      ) { process = $0 }
    } catch {
      if error.code == 124 { return .late(program) }
      guard error.isLost else { throw error }
      return try lost(error, limit)
    }
    switch answer.status {
    case 200, 202: break
    case 503:
      // A handover is going on, or too many ask: one may come again, and then the successor may be the one to ask.
      let pause = Duration.milliseconds(200)
      guard limit.left > pause else { throw limit.late(program, "has not taken the request", ": \(answer.words)") }
      return .askAgain(nil, after: pause)
    case 504: throw limit.late(program, "has not stopped", ": \(answer.words)")
    default: throw answer.failure(of: url)
    }
    if let process { return .ending(process) }
    guard answer.status == 200 else {
      throw .late("\(program) will stop, but does not say when; its process cannot be seen from here")
    }
    return .stopped("\(program) has stopped; over TCP its process cannot be seen, and may be at its exit")
  }

  /// It was there, was asked, and has gone without an answer: if its process has ended, that is what was wanted.
  ///
  /// Its descriptors are closed in the exit, and its end is seen milliseconds later. A process that lives on has hung up,
  /// and whether it stops is not known; the command does not wait for that to the end of the time.
  private func lost(_ error: CommandFailure, _ limit: StopLimit) throws(CommandFailure) -> StopNews {
    let asked = "\(program) was asked, and \(error.message)"
    guard let process else { throw .failed("\(asked); whether it has stopped cannot be seen from here") }
    switch process.hasEnded(by: min(limit.deadline, .now + .seconds(1))) {
    case true?: return .ending(process)
    case false?: throw .failed("\(asked); process \(process.number) is still there")
    case nil: throw .failed("\(asked); this system cannot show whether process \(process.number) has ended")
    }
  }
}
