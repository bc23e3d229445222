import Synchronization

/// Which moment a phase has reached, and the continuations and handlers that wait for one.
final class PhaseMoments: Sendable {
  private struct State {
    var reached: Phase.Moment?
    var isClosed = false
    var deadline: MonotonicInstant?
    var nextId = 0
    var waiters: [Int: (moment: Phase.Moment, continuation: CheckedContinuation<Void, Never>)] = [:]
    var handlers: [Int: (moment: Phase.Moment, registration: HandlerRegistration)] = [:]
    var closeWaiters: [CheckedContinuation<Void, Never>] = []

    mutating func takeWaiters(until moment: Phase.Moment) -> [CheckedContinuation<Void, Never>] {
      if waiters.isEmpty { return [] }
      let taken = waiters.filter { $0.value.moment <= moment }
      for id in taken.keys { waiters[id] = nil }
      return taken.values.map(\.continuation)
    }

    mutating func takeHandlers(until moment: Phase.Moment) -> [HandlerRegistration] {
      if handlers.isEmpty { return [] }
      let taken = handlers.filter { $0.value.moment <= moment }
      for id in taken.keys { handlers[id] = nil }
      return taken.sorted { $0.key < $1.key }.map(\.value.registration)
    }
  }

  private let state = Mutex(State())
  private let told = Atomic(false)

  /// Whether any moment has come: one relaxed atomic read.
  var hasTold: Bool { told.load(ordering: .relaxed) }

  var deadline: MonotonicInstant? { state.withLock { $0.deadline } }

  func hasReached(_ moment: Phase.Moment) -> Bool { state.withLock { $0.reached.map { $0 >= moment } ?? false } }

  /// Whether the phase has ended, or was abandoned.
  var hasClosed: Bool { state.withLock { $0.isClosed } }

  /// A moment that comes after a later one changes nothing: the drain, when an observer had to be waited for.
  ///
  /// - Returns: The handlers whose moment has come, for the caller to run; each is returned once.
  func reach(_ moment: Phase.Moment, deadline: MonotonicInstant) -> [HandlerRegistration] {
    told.store(true, ordering: .relaxed)
    let (waiters, handlers) = state.withLock { state in
      if state.reached.map({ $0 < moment }) ?? true {
        state.reached = moment
        state.deadline = deadline
      } else if state.reached == moment {
        state.deadline = state.deadline.map { min($0, deadline) } ?? deadline
      }
      return (state.takeWaiters(until: moment), state.takeHandlers(until: moment))
    }
    for waiter in waiters { waiter.resume() }
    return handlers
  }

  /// The phase has ended: its waiters go on, and no handler runs any more.
  ///
  /// - Returns: The handlers that were never called, for the caller to drop where code of the user may run.
  func close() -> [HandlerRegistration] {
    let (waiters, handlers) = state.withLock { state in
      state.isClosed = true
      defer {
        state.waiters = [:]
        state.handlers = [:]
        state.closeWaiters = []
      }
      return (state.waiters.values.map(\.continuation) + state.closeWaiters, state.handlers)
    }
    for waiter in waiters { waiter.resume() }
    return handlers.values.map(\.registration)
  }

  /// Returns when the moment has come, when the phase has ended, or when the task that waits is cancelled.
  ///
  /// - Returns: Whether the moment has come.
  @discardableResult
  func wait(for moment: Phase.Moment) async -> Bool {
    let id = state.withLock { state in
      state.nextId += 1
      return state.nextId
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let goOn = state.withLock { state in
          // A task that was cancelled before it got here: the handler below has run, and found no continuation.
          if state.reached.map({ $0 >= moment }) ?? false || state.isClosed || Task.isCancelled { return true }
          state.waiters[id] = (moment, continuation)
          return false
        }
        if goOn { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume()
    }
    return state.withLock { $0.reached.map { $0 >= moment } ?? false }
  }

  /// Returns when the phase has ended or been abandoned, whatever is cancelled meanwhile.
  func waitUntilClosed() async {
    await withCheckedContinuation { continuation in
      let isClosed = state.withLock { state in
        if !state.isClosed { state.closeWaiters.append(continuation) }
        return state.isClosed
      }
      if isClosed { continuation.resume() }
    }
  }

  /// - Returns: Whether its moment has come already, so that the caller runs it.
  func register(_ registration: HandlerRegistration, at moment: Phase.Moment) -> Bool {
    state.withLock { state in
      if state.reached.map({ $0 >= moment }) ?? false { return true }
      guard !state.isClosed else { return false }
      state.nextId += 1
      state.handlers[state.nextId] = (moment, registration)
      registration.whenLeft(forget: state.nextId, on: self)
      return false
    }
  }

  func forget(_ id: Int) { state.withLock { $0.handlers[id] = nil } }
}
