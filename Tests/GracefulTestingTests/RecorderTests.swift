import GracefulShutdown
import GracefulTesting
import Testing

@Suite("A recorder", .timeLimit(.minutes(1)))
struct RecorderTests {
  private let recorder = Recorder()

  @Test("waits until an event has been recorded as often as is wanted, and not for what has been")
  func times() async {
    let recorder = recorder
    recorder.record("a")
    await recorder.wait(for: "a")
    let third = Task {
      await recorder.wait(for: "a", times: 3)
      return recorder.events.count { $0 == "a" }
    }
    let first = Task { await recorder.wait(for: "b") }
    recorder.record("a")
    recorder.record("b")
    await first.value
    recorder.record("a")
    #expect(await third.value == 3)
  }

  @Test("A wait ends when its task is cancelled, before or after it began")
  func cancelled() async {
    let recorder = recorder
    let waits = Task { await recorder.wait(for: "never") }
    waits.cancel()
    await waits.value
  }

  @Test("knows in which order events came, each as often as it is named")
  func order() {
    for event in ["a", "b", "a", "c"] { recorder.record(event) }
    #expect(recorder.saw(inOrder: "a", "b", "c"))
    #expect(recorder.saw(inOrder: "a", "a", "c"))
    #expect(!recorder.saw(inOrder: "b", "b"))
    #expect(!recorder.saw(inOrder: "c", "a"))
    #expect(recorder.saw())
  }

  @Test("of a lifecycle records what its phases are told")
  func lifecycle() async {
    let clock = ManualClock()
    let shop = Lifecycle("shop")
    shop.phase("web", script: .obedient, on: clock)
    let recorder = Recorder(of: shop)
    async let report = shop.run(on: clock)
    await recorder.wait(for: "web: ready")
    shop.requestStop(StopRequest(why: "enough"))
    _ = await report
    await recorder.wait(for: "finished")
    #expect(
      recorder.events == [
        "web: started", "web: ready", "stop requested: the program: enough", "web: draining", "web: drained",
        "finished",
      ])
  }
}
