internal import GracefulShutdown
internal import GracefulSystem
internal import Synchronization

/// Pieces of work that call the user's metrics or tracer: one after the other, in order, on a thread that they may
/// block.
///
/// When one blocks, those behind it wait, and when too many wait, further ones are dropped. Nothing else waits for
/// them, unless it says for how long at most.
final class ObservationQueue: Sendable {
  typealias Piece = @Sendable () -> Void

  private struct Run {
    var environment: any LifecycleEnvironment
    var capacity: Int
  }

  private let run = Mutex<Run?>(nil)
  private let pieces = Mailbox<Piece>()

  /// Whether everything has been done.
  var isIdle: Bool { pieces.isIdle }

  /// The run begins: before that, every piece is dropped.
  ///
  /// - Parameter phases: How many there are: they may all have something to say at once.
  func begin(in environment: any LifecycleEnvironment, phases: Int) {
    run.withLock { $0 = Run(environment: environment, capacity: 4096 + 8 * phases) }
  }

  /// Does it when everything before it has been done; returns at once.
  ///
  /// - Returns: Whether it will be done; not, when too many wait.
  @discardableResult
  func add(_ piece: @escaping Piece) -> Bool { enqueue(piece, isDroppable: true) }

  /// The same, and it is never dropped: the end of the run waits for it.
  func whenIdle(_ piece: @escaping Piece) {
    if isIdle { piece() } else { enqueue(piece, isDroppable: false) }
  }

  @discardableResult
  private func enqueue(_ piece: @escaping Piece, isDroppable: Bool) -> Bool {
    guard let run = run.withLock({ $0 }) else { return false }
    let posted = pieces.post(piece, limit: isDroppable ? run.capacity : .max)
    if posted == .isFirst {
      // It holds the pieces until the last one is done.
      run.environment.performObservation { [pieces] in pieces.drain { $0() } }
    }
    return posted != .refused
  }
}
