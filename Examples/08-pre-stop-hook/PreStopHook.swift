import Graceful

@main struct PreStopHook {
  static func main() async {
    let program = Lifecycle("pre-stop-hook", grace: .seconds(25))

    program.phase("worker") { phase in
      phase.ready()
      var order = 0
      while !phase.isStopRequested {
        order += 1
        print("worker: begins order \(order), which takes 3 s")
        try await Task.sleep(for: .seconds(3))
        print("worker: order \(order) is done")
      }
      await phase.turnToStop()
    }

    // The hook asks with a file, the kubelet with SIGTERM. That is one stop, and not a second, more urgent one.
    await program.runAndExit(on: .signals, .files())
  }
}
