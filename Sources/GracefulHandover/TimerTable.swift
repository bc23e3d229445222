package import GracefulDescriptors
internal import Synchronization

/// The timers of a machine, by its own names for them.
package final class TimerTable<Key: Hashable & Sendable>: Sendable {
  private let loop: PollLoop
  private let timers = Mutex<[Key: PollLoop.TimerID]>([:])

  package init(loop: PollLoop) { self.loop = loop }

  package func arm(_ key: Key, at instant: ContinuousClock.Instant, _ fire: @escaping @Sendable () -> Void) {
    disarm(key)
    let timer = loop.schedule(at: instant) { [weak self] in
      // Taken back on the loop's thread between its instant and now: then it must not fire.
      guard let self, timers.withLock({ $0.removeValue(forKey: key) }) != nil else { return }
      fire()
    }
    timers.withLock { $0[key] = timer }
  }

  package func disarm(_ key: Key) {
    if let timer = timers.withLock({ $0.removeValue(forKey: key) }) { loop.cancel(timer) }
  }

  package func disarmAll() {
    let all = timers.withLock { timers in
      defer { timers = [:] }
      return timers.values
    }
    for timer in all { loop.cancel(timer) }
  }
}
