import CGracefulSystem
import Graceful

/// A program that is stopped by files in `$TMPDIR`, and says so when it is.
///
///     TestProgram stoppable [MILLISECONDS]
///
/// Takes so long to drain; zero unless given. It writes `ready PID`, and at the end `ended`.
///
///     TestProgram stoppable hang
///
/// Does not drain at all: what is abandoned ends with exit code 124, two seconds after the request.
///
///     TestProgram stoppable blocked
///
/// Every thread of Swift's cooperative pool is blocked: the request is heard, and answered, all the same.
///
///     TestProgram stoppable plain
///
/// Has no lifecycle: takes one request, and says that it has stopped.
enum StoppableProgram {
  static func main() async {
    let mode = TestProgram.arguments.first ?? "0"
    if mode == "plain" { return await plain() }
    let isStubborn = mode == "hang" || mode == "blocked"
    let program = Lifecycle("stoppable", grace: .seconds(isStubborn ? 2 : 20))
    program.phase("work") { phase in
      phase.ready()
      write("ready \(cgs_process_id())\n")
      if mode == "blocked" { blockThePool() }
      if mode == "hang" { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
      await phase.turnToStop()
      // sleeps on purpose: a program, not a test; its drain takes its time.
      try await Task.sleep(for: .milliseconds(Int(mode) ?? 0))
      write("ended\n")
    }
    await program.runAndExit(on: .signals, .files())
  }

  private static func plain() async {
    let files = StopFiles { refusal in write("refused: \(refusal)\n") }
    do {
      let requests = try files.requests()
      write("ready \(cgs_process_id())\n")
      for await request in requests {
        write("\(request)\n")
        break
      }
      try files.signalStopped()
    } catch {
      write("\(error)\n")
    }
  }

  private static func blockThePool() {
    for _ in 0..<64 { Task.detached { blockForEver() } }
    blockForEver()
  }

  private static func blockForEver() { while true { _ = cgs_poll(nil, 0, 1000) } }

  private static func write(_ line: String) {
    let bytes = Array(line.utf8)
    _ = cgs_write(1, bytes, bytes.count)
  }
}
