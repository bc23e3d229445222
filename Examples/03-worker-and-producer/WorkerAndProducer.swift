import Dispatch
import Graceful

@main struct WorkerAndProducer {
  static func main() async {
    let (jobs, queue) = AsyncStream.makeStream(of: Int.self)
    let program = Lifecycle("worker-and-producer", grace: .seconds(10))

    let worker = program.phase("worker") { phase in
      phase.ready()
      await phase.withHandler(at: .drain) {
        queue.finish()  // the producer has ended: the loop ends when the queue is empty
      } operation: {
        var done = 0
        for await _ in jobs { done += 1 }
        print("worker: done with all \(done) jobs")
      }
    }

    // It has 3 s to drain, and 2 s more when it is cancelled. It hears neither.
    program.phase("producer", requires: worker, limit: .seconds(3)) { phase in
      phase.ready()
      print("producer: I produce for ever. Stop me with SIGTERM or ^C.")
      while true { queue.yield(await nextJob()) }
    }

    await program.runAndExit(on: .signals)
  }

  /// What comes from a library that knows only callbacks: no cancellation reaches it.
  static func nextJob() async -> Int {
    await withCheckedContinuation { continuation in
      DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(100)) {
        continuation.resume(returning: .random(in: 1...6))
      }
    }
  }
}
