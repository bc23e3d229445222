public import GracefulShutdown
internal import Synchronization

/// What happened in a test, in order: to await it, and to assert the order afterwards.
///
/// That of a ``ManualClock`` has what scripted phases and services record, and what the test records in bodies of its
/// own. A recorder that is made for a lifecycle has what its phases are told, scripted or not:
///
/// ```swift
/// @Test(.timeLimit(.minutes(1))) func theQueueIsEmptyBeforeTheDatabaseCloses() async {
///   let clock = ManualClock()
///   let shop = Lifecycle("shop")
///   let database = shop.phase("database") { phase in
///     phase.ready()
///     await phase.turnToStop()
///   }
///   shop.phase("queue", requires: database) { phase in
///     phase.ready()
///     try await phase.withCancellation(at: .drain) { for await _ in AsyncStream<Int>.makeStream().stream {} }
///   }
///   let recorder = Recorder(of: shop)
///   async let report = shop.run(on: clock)
///   await recorder.wait(for: "queue: ready")
///
///   shop.requestStop(StopRequest(source: .signal(15)))
///
///   #expect(await report.exitCode == 0)
///   await recorder.wait(for: "finished")
///   #expect(recorder.saw(inOrder: "stop requested: SIGTERM", "queue: draining", "queue: drained", "database: draining"))
/// }
/// ```
public final class Recorder: Sendable {
  private struct State {
    var events: [String] = []
    /// How often each was recorded: a test may record one ten thousand times, and wait for the last of them.
    var counts: [String: Int] = [:]
    var nextWaiter = 0
    var waiters: [Int: (wanted: String, times: Int, continuation: CheckedContinuation<Void, Never>)] = [:]
  }

  private let state = Mutex(State())

  /// Makes a recorder that has recorded nothing.
  public init() {}

  /// Makes a recorder of what happens in a lifecycle, as `phase: event`.
  ///
  /// The events of a phase are `started`, `ready`, `draining`, `cancelled`, and its end: `drained`, `cancelled`, `failed`,
  /// `abandoned`, `ended by itself`. Each request is recorded as `stop requested: SIGTERM`, and the end of the whole as
  /// `finished`. What the lifecycle does is recorded in its order, but later than it happens: `finished` may come after
  /// `run` has returned. Make it before the run, or it misses the beginning.
  public convenience init(of lifecycle: Lifecycle) {
    self.init()
    let events = lifecycle.events
    Task {
      for await event in events { record(event.kind == .finished ? "finished" : "\(event)") }
    }
  }

  /// Everything so far.
  public var events: [String] { state.withLock { $0.events } }

  /// Records an event.
  ///
  /// From any thread.
  public func record(_ event: String) {
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      state.events.append(event)
      let times = state.counts[event, default: 0] + 1
      state.counts[event] = times
      let woken = state.waiters.filter { $0.value.wanted == event && $0.value.times <= times }
      for id in woken.keys { state.waiters[id] = nil }
      return woken.values.map(\.continuation)
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Waits until an event has been recorded; returns at once when it has been before.
  ///
  /// It waits for ever for what never comes: give the test a time limit, which ends the wait too.
  /// - Parameters:
  ///   - event: What is waited for, word for word.
  ///   - times: Until it has been recorded so often; once unless said otherwise.
  public func wait(for event: String, times: Int = 1) async {
    let id = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goOn = state.withLock { state in
          // Cancelled before it got here: then the handler found no continuation.
          if state.counts[event, default: 0] >= times || Task.isCancelled { return true }
          state.waiters[id] = (event, times, continuation)
          return false
        }
        if goOn { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
    }
  }

  /// Whether these events were recorded in this order, whatever came between them.
  ///
  /// Each of them as often as it is named.
  public func saw(inOrder events: String...) -> Bool {
    var rest = events[...]
    for event in self.events where event == rest.first { rest = rest.dropFirst() }
    return rest.isEmpty
  }
}
