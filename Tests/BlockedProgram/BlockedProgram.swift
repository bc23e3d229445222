import CGracefulSystem
import Foundation
import Graceful
import Synchronization

/// A program whose every pool thread is blocked by one of its phases, which never ends.
///
/// It says `blocked` on standard output once a task that is started afresh does not get to run.
///
///     BlockedProgram GRACE-IN-MILLISECONDS [stuck-exit]
///
/// With 0 it blocks nothing: it prints a line, stops itself and exits. With `stuck-exit` neither, but it has an `atexit`
/// handler that never returns.
@main
struct BlockedProgram {
  static func main() async {
    let arguments = CommandLine.arguments
    let grace = arguments.count > 1 ? Int(arguments[1]) ?? 2000 : 2000
    if grace == 0 { await stopItself() }
    if arguments.last == "stuck-exit" { await beStuck(within: .milliseconds(grace)) }
    let program = Lifecycle("blocked", grace: .milliseconds(grace))
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
    await program.runAndExit(on: .signals)
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

  static func beStuck(within grace: Duration) async -> Never {
    _ = atexit {
      BlockedProgram.say("atexit")
      BlockedProgram.blockForEver()
    }
    let program = Lifecycle("well-behaved", grace: grace)
    program.requestStop()
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
    say("blocked\n")
  }

  private static func say(_ text: String) {
    let word = Array(text.utf8)
    _ = cgs_write(1, word, word.count)
  }
}
