import CGracefulSystem
import Graceful

/// A program with two lifecycles, one of which ends well before the other.
///
///     TestProgram two signals|deaf
///
/// With `signals` both exit the process, and hear SIGTERM; with `deaf` the slow one does neither. It says `ready` on standard
/// output, and `slow: drained` at the end.
enum TwoLifecycles {
  static func main() async {
    let quick = Lifecycle("quick", grace: .seconds(20))
    let slow = Lifecycle("slow", grace: .seconds(20))
    slow.phase("work") { phase in
      phase.ready()
      say("ready")
      await phase.turnToStop()
      // sleeps on purpose: a program, not a test; its drain takes its time.
      try await Task.sleep(for: .milliseconds(500))
      say("slow: drained")
    }
    quick.phase("work") { phase in
      phase.ready()
      await phase.turnToStop()
    }
    let isDeaf = TestProgram.arguments.first == "deaf"
    Task.detached {
      guard isDeaf else { await slow.runAndExit(on: .signals) }
      let report = await slow.run()
      let text = Array(report.text.utf8)
      _ = cgs_write(2, text, text.count)
    }
    await quick.runAndExit(on: .signals)
  }

  private static func say(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = cgs_write(1, bytes, bytes.count)
  }
}
