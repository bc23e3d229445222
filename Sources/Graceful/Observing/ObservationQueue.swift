internal import GracefulShutdown
internal import Synchronization

/// Pieces of work that call somebody's metrics or tracer: one after the other, in order, on a thread that they may block.
///
/// When one blocks, those behind it wait, and when too many wait, further ones are dropped. Nothing else waits for them,
/// unless it says for how long at most.
final class ObservationQueue: Sendable {
  typealias Piece = @Sendable () -> Void

  private struct State {
    var environment: (any LifecycleEnvironment)?
    var capacity = 0
    var pieces: [Piece] = []
    /// From the first piece on, until none is left.
    var isBusy = false
  }

  private let state = Mutex(State())

  /// Whether everything has been done.
  var isIdle: Bool { state.withLock { !$0.isBusy } }

  /// The run begins: before that, every piece is dropped.
  ///
  /// - Parameter phases: How many there are: they may all have something to say at once.
  func begin(in environment: any LifecycleEnvironment, phases: Int) {
    state.withLock { state in
      state.environment = environment
      state.capacity = 4096 + 8 * phases
    }
  }

  /// Does it when everything before it has been done; returns at once.
  ///
  /// - Returns: Whether it will be done; not, when too many wait.
  @discardableResult
  func add(_ piece: @escaping Piece) -> Bool { enqueue(piece, isDroppable: true) }

  /// The same, and it is never dropped: somebody waits for it.
  func whenIdle(_ piece: @escaping Piece) {
    if isIdle { piece() } else { enqueue(piece, isDroppable: false) }
  }

  @discardableResult
  private func enqueue(_ piece: @escaping Piece, isDroppable: Bool) -> Bool {
    let (isAccepted, environment): (Bool, (any LifecycleEnvironment)?) = state.withLock { state in
      guard let environment = state.environment, !isDroppable || state.pieces.count < state.capacity else {
        return (false, nil)
      }
      state.pieces.append(piece)
      defer { state.isBusy = true }
      return (true, state.isBusy ? nil : environment)
    }
    // It holds this queue until the last piece is done.
    environment?.performObservation { [self] in
      while let pieces = takeAll() {
        for piece in pieces { piece() }
      }
    }
    return isAccepted
  }

  /// In the same step as nothing is left, nobody is at it: whoever brings a piece afterwards sees to that.
  private func takeAll() -> [Piece]? {
    state.withLock { state in
      state.isBusy = !state.pieces.isEmpty
      guard state.isBusy else { return nil }
      defer { state.pieces = [] }
      return state.pieces
    }
  }
}
