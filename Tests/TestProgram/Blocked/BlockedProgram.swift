import CGracefulSystem
import Foundation
import Graceful
import Synchronization

/// A program in which something does not end.
///
///     TestProgram blocked GRACE-IN-MILLISECONDS [WHAT]
///
/// WHAT: `pool` (unless said otherwise) blocks every thread of the pool by one of its phases; `thread` blocks only the
/// phase's own; `ignores` blocks none, and ignores its cancellation; `handlers` blocks two hundred handlers of phases that
/// would end; `after` blocks every thread of the pool when its phases end; `exit` ends well, and hangs in an `atexit` handler; `metrics` and `tracer` end well, and block the thread that
/// records metrics or spans. With `thread` and `ignores` the phase has a quarter of the grace.
///
/// It says `blocked` on standard output once it is so: with `pool`, once a task that is started afresh does not get to run.
/// With a grace of 0 it blocks nothing: it prints a line, stops itself and exits.
enum BlockedProgram {
  static func main() async {
    let arguments = TestProgram.arguments
    let grace = arguments.first.flatMap { Int($0) } ?? 2000
    if grace == 0 { await stopItself() }
    let program = Lifecycle("blocked", grace: .milliseconds(grace))
    switch arguments.count > 1 ? arguments[1] : "pool" {
    case "thread": hang(program) { blockForEver() }
    case "ignores": hang(program) { await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
    case "handlers": blockHandlers(program)
    case "exit": hangAtExit(program)
    case "after": blockPoolAtTheEnd(program)
    case "metrics": observe(program) { $0.recordMetrics(in: StuckBackend(), endingBefore: $1) }
    case "tracer": observe(program) { $0.recordSpans(with: StuckBackend(), endingBefore: $1) }
    default: blockPool(program)
    }
    // Where a test wants to ask it at a socket.
    guard let socket = ProcessInfo.processInfo.environment["BLOCKED_CONTROL"] else {
      await program.runAndExit(on: .signals)
    }
    await program.runAndExit(on: .signals, .control(socket: socket))
  }

  static func blockPool(_ program: Lifecycle) {
    let quiet = program.phase("quiet") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    program.phase("greedy", requires: quiet) { phase in
      phase.ready()
      for _ in 0..<256 { Task.detached { blockForEver() } }
      _ = cgs_thread_start("watcher", { _ in BlockedProgram.sayWhenBlocked() }, nil)
      blockForEver()
    }
  }

  /// A phase that does what it does for ever, between two that behave.
  static func hang(_ program: Lifecycle, _ what: @escaping @Sendable () async -> Void) {
    let quiet = program.phase("quiet") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    let greedy = program.phase("greedy", requires: quiet, limit: program.grace / 4) { phase in
      phase.ready()
      await what()
    }
    program.phase("polite", requires: greedy) { phase in
      phase.ready()
      say("blocked")
      await phase.turnToStop()
    }
  }

  /// More of them than there are threads for handlers, and none ever returns: nothing else is held up by that.
  static func blockHandlers(_ program: Lifecycle) {
    let ready = Counter()
    for number in 0..<200 {
      program.phase("phase \(number)") { phase in
        phase.ready()
        if ready.add() == 200 { say("blocked") }
        await phase.withHandler(at: .stopRequested) {
          blockForEver()
        } operation: {
          await phase.turnToStop()
        }
      }
    }
  }

  /// What runs after the end of the last phase does not get to run.
  static func blockPoolAtTheEnd(_ program: Lifecycle) {
    program.phase("polite") { phase in
      phase.ready()
      say("blocked")
      await phase.turnToStop()
      for _ in 0..<256 { Task.detached { blockForEver() } }
    }
  }

  static func hangAtExit(_ program: Lifecycle) {
    atexit { BlockedProgram.blockForEver() }
    program.phase("polite") { phase in
      phase.ready()
      say("blocked")
      await phase.turnToStop()
    }
  }

  /// A phase that waits for what never comes, and a phase that nothing waits for.
  static func observe(_ program: Lifecycle, _ record: (Lifecycle, PhaseHandle) -> Void) {
    let exporter = program.phase("exporter") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    program.phase("polite", requires: exporter) { phase in
      phase.ready()
      await phase.turnToStop()
    }
    record(program, exporter)
  }

  static func stopItself() async -> Never {
    let program = Lifecycle("well-behaved")
    program.phase("short") { phase in
      // Without a line break, and into a pipe: it comes out only if the exit flushes.
      print("in a buffer", terminator: "")
      phase.ready()
      program.requestStop(StopRequest(why: "enough"))
      await phase.turnToStop()
    }
    await program.runAndExit()
  }

  static func blockForEver() {
    while true { _ = cgs_poll(nil, 0, 1000) }
  }

  private static let runs = Atomic(0)

  static func sayWhenBlocked() {
    // A task that has run within 200 ms found a free thread.
    var before = -1
    while before != runs.load(ordering: .relaxed) {
      before = runs.load(ordering: .relaxed)
      Task.detached { runs.add(1, ordering: .relaxed) }
      _ = cgs_poll(nil, 0, 200)
    }
    say("blocked")
  }

  static func say(_ word: String) {
    let word = Array("\(word)\n".utf8)
    _ = cgs_write(1, word, word.count)
  }
}

private final class Counter: Sendable {
  private let count = Atomic(0)

  func add() -> Int { count.add(1, ordering: .relaxed).newValue }
}
