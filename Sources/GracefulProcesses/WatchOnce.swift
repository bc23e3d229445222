internal import GracefulDescriptors
internal import Synchronization

/// A watch on a descriptor that ends with its first report, or when it is cancelled.
///
/// The loop is level-triggered and tells the id of a watch only after it has begun: a report can come before that. So
/// beginning, reporting and cancelling agree under one lock on who unwatches, and the body runs at most once.
final class WatchOnce: Sendable {
  private enum State: Sendable {
    case beginning
    case watching(PollLoop, PollLoop.WatchID)
    case over
  }

  private let state = Mutex(State.beginning)

  func begin(on loop: PollLoop, _ descriptor: CInt, _ body: @escaping @Sendable () -> Void) {
    let id = loop.watch(descriptor, .readable) { _ in
      if self.finish(on: loop) { body() }
    }
    let late = state.withLock { state in
      switch state {
      case .beginning:
        state = .watching(loop, id)
        return false
      case .watching, .over: return true
      }
    }
    if late { loop.unwatch(id) }
  }

  /// - Returns: Whether this call ended it.
  @discardableResult
  func finish(on loop: PollLoop) -> Bool {
    let (first, id) = state.withLock { state -> (Bool, PollLoop.WatchID?) in
      switch state {
      case .beginning:
        state = .over
        return (true, nil)
      case .watching(_, let id):
        state = .over
        return (true, id)
      case .over: return (false, nil)
      }
    }
    if let id { loop.unwatch(id) }
    return first
  }
}
