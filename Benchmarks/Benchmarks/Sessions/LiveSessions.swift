import Dispatch
import Graceful

/// Any number of sessions that live: values that cannot be copied, in plain memory, begun from every core.
final class LiveSessions: @unchecked Sendable {
  // Sendable: after the initializer nothing changes it before `end()` or the end of it.
  private let sessions: UnsafeMutableBufferPointer<Session>
  private var left: Int

  init(_ count: Int, in phase: Phase, name: String? = nil) {
    sessions = .allocate(capacity: count)
    left = count
    guard count > 0, let base = sessions.baseAddress else { return }
    let share = count / Cores.count
    nonisolated(unsafe) let place = base  // each core fills its own part
    DispatchQueue.concurrentPerform(iterations: Cores.count) { core in
      let end = core == Cores.count - 1 ? count : (core + 1) * share
      for index in core * share..<end {
        do { (place + index).initialize(to: try phase.beginSession(name)) } catch { fatalError("\(error)") }
      }
    }
  }

  /// All of them, one after the other.
  func end() {
    guard let base = sessions.baseAddress else { return }
    for index in 0..<left { (base + index).move().end() }
    left = 0
  }

  deinit {
    end()
    sessions.deallocate()
  }
}
