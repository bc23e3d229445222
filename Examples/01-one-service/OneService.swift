import Graceful

@main struct OneService {
  static func main() async {
    let program = Lifecycle("one-service")
    program.phase("greeter", service: Greeter())
    await program.runAndExit(on: .signals)
  }
}
