import CGracefulSystem
import Graceful
import Synchronization

/// A program whose every pool thread is blocked by one of its phases, which never ends.
///
/// It says `blocked` on standard output once a task that is started afresh does not get to run.
///
///     BlockedProgram GRACE-IN-MILLISECONDS
@main
struct BlockedProgram {
  static func main() async {
    let arguments = CommandLine.arguments
    let grace = arguments.count > 1 ? Int(arguments[1]) ?? 2000 : 2000
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
    let word = Array("blocked\n".utf8)
    _ = cgs_write(1, word, word.count)
  }
}
