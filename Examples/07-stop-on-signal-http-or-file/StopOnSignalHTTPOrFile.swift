import Graceful
import GracefulNIO

@main struct StopOnSignalHTTPOrFile {
  static func main() async {
    let program = Lifecycle("three-ways", grace: .seconds(10))

    program.phase("work") { phase in
      phase.ready()
      print("work: begun. Stop me by a signal, over HTTP, or with a file.")
      await phase.turnToStop()
      print("work: done")
    }

    // The first request is named in the report; later requests join it.
    await program.runAndExit(on: .signals, .http(), .files())
  }
}
