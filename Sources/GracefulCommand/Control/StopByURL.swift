internal import NIOHTTP1

extension StopWait {
  /// Over HTTP: `POST /shutdown?wait=…`.
  ///
  /// Over a Unix socket the process is known, and waited for; over TCP its own word must do.
  mutating func throughURL(_ url: ProgramURL, token: String?, now: Bool) throws(CommandFailure) -> String {
    defer { show.clear() }
    if now { throw .usage("--now is not to be had over HTTP; use --socket, or --pid") }
    let path = url.path.isEmpty ? "/shutdown" : url.path
    let left = max(deadline - .now, .milliseconds(1))
    let wait = max(1, Int64(left / .milliseconds(1)))
    tell("asked \(url) to stop; waiting")
    var process: WatchedProcess?
    let answer: ProgramHTTP.Answer
    do throws(CommandFailure) {
      // A little longer than the other side waits: its answer says what holds it up.
      answer = try ProgramHTTP.send(
        .POST, url, "\(path)?wait=\(min(wait, 3_600_000))ms", token: token, within: left + .seconds(2)
      ) { process = $0 }
    } catch {
      if error.code == 124 { throw late("the program at \(url)") }
      guard error.isLost else { throw error }
      return try lost(error, url, process)
    }
    switch answer.status {
    case 200, 202: break
    case 503:
      // A handover is going on, or too many ask: one may come again, and then the successor may be the one to ask.
      let pause = Duration.milliseconds(200)
      guard deadline - .now > pause else {
        throw .late("the program at \(url) has not taken the request within \(limit): \(answer.words)")
      }
      Waiting.pause(pause, until: deadline)
      return try throughURL(url, token: token, now: now)
    case 504:
      throw .late("the program at \(url) has not stopped within \(limit): \(answer.words)")
    default: throw answer.failure(of: url)
    }
    guard let process else {
      guard answer.status == 200 else {
        throw .late("the program at \(url) will stop, but does not say when; its process cannot be seen from here")
      }
      return "the program at \(url) has stopped; over TCP its process cannot be seen, and may be at its exit"
    }
    switch process.hasEnded(by: deadline) {
    case true?: return "process \(process.number) has stopped"
    case false?: throw late("process \(process.number)")
    case nil: return "process \(process.number) has stopped, by its own word; this system cannot show its end"
    }
  }

  /// It was there, was asked, and has gone without an answer: if its process has ended, that is what was wanted.
  ///
  /// Its descriptors are closed in the exit, and its end is seen milliseconds later. A process that lives on has hung up,
  /// and whether it stops is not known; the command does not wait for that to the end of the time.
  private func lost(
    _ error: CommandFailure, _ url: ProgramURL, _ process: WatchedProcess?
  ) throws(CommandFailure) -> String {
    let asked = "the program at \(url) was asked, and \(error.message)"
    guard let process else {
      throw .failed("\(asked); whether it has stopped cannot be seen from here")
    }
    switch process.hasEnded(by: min(deadline, .now + .seconds(1))) {
    case true?: return "process \(process.number) has stopped"
    case false?: throw .failed("\(asked); process \(process.number) is still there")
    case nil: throw .failed("\(asked); this system cannot show whether process \(process.number) has ended")
    }
  }
}
