import Graceful

@main struct RestartingService {
  static func main() async {
    let broker = Broker()
    let program = Lifecycle("restarting-service")

    // Five restarts within a minute, and it gives up. The delays begin with 100 ms and double, each up to a fifth longer or
    // shorter by chance.
    let policy = RestartPolicy.onFailure(intensity: 5, window: .seconds(60))

    // A wrong password does not get better by being tried again.
    program.phase("consumer", restart: policy, restartFor: { !($0 is Broker.WrongPassword) }) { phase in
      try await broker.connect()
      phase.ready()
      print("consumer: connected. Stop me with SIGTERM or ^C.")
      await phase.turnToStop()
      print("consumer: closed")
    }

    await program.runAndExit(on: .signals)
  }
}
