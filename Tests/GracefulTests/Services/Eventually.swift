import GracefulDescriptors
import GracefulTesting

/// One thread that waits, for all tests.
private let waitingRoom: PollLoop? = try? PollLoop(name: "services")

/// Asks again and again, every few milliseconds, until the answer is yes; no longer than the limit.
///
/// Also in a task that is cancelled: services under test are.
@discardableResult
func eventually(within limit: Duration = .seconds(20), _ condition: @Sendable () -> Bool) async -> Bool {
  let deadline = ContinuousClock.now + limit
  while !condition() {
    guard let waitingRoom, ContinuousClock.now < deadline else { return false }
    await withCheckedContinuation { next in
      _ = waitingRoom.schedule(at: .now + .milliseconds(2)) { next.resume() }
    }
  }
  return true
}

extension Recorder {
  /// Whether a scripted service had ended before another one was told to stop, in whichever way.
  func saw(_ first: String, endedBeforeStopOf second: String) -> Bool {
    let events = events
    guard let end = events.firstIndex(of: "\(first): ended"),
      let stop = events.firstIndex(where: { $0 == "\(second): told" || $0 == "\(second): cancelled" })
    else { return false }
    return end < stop
  }

  /// Waits for an event, but no longer than the limit.
  @discardableResult
  func sees(_ event: String, within limit: Duration = .seconds(20)) async -> Bool {
    await eventually(within: limit) { self.events.contains(event) }
  }
}
