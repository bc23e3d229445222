import GracefulTesting
import TestHost

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
