import GracefulDescriptors

/// One thread that waits, for all tests.
let waitingRoom: PollLoop = {
  do { return try PollLoop(name: "tests") } catch { fatalError("no thread for the tests: \(error)") }
}()

/// Asks again and again, every few milliseconds, until the answer is yes; no longer than the limit.
func eventually(within limit: Duration = .seconds(20), _ condition: @Sendable () async -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + limit
  while !(await condition()) {
    guard ContinuousClock.now < deadline else { return false }
    await withCheckedContinuation { next in
      _ = waitingRoom.schedule(at: .now + .milliseconds(5)) { next.resume() }
    }
  }
  return true
}
