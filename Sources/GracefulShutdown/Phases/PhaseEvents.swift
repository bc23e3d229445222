extension Phase {
  /// What the phase is told, one moment after the other, from the first on; for any number of readers.
  ///
  /// It ends when the phase has ended, or when the task that reads is cancelled.
  ///
  /// ```swift
  /// for await moment in phase.events {
  ///   if moment == .drain { listener.close() }
  ///   if moment == .turn { break }
  /// }
  /// ```
  public var events: Events { Events(board: board) }

  /// The moments of a phase, as they come.
  public struct Events: AsyncSequence, Sendable {
    let board: MomentBoard

    /// Begins with the first moment, also when it has passed.
    public func makeAsyncIterator() -> Iterator { Iterator(board: board) }

    /// Reads the moments of a phase.
    public struct Iterator: AsyncIteratorProtocol {
      let board: MomentBoard
      private var next = Moment.stopRequested

      init(board: MomentBoard) { self.board = board }

      /// Waits for the next moment.
      public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> Moment? {
        guard next <= .cancelled, await board.wait(for: next) else { return nil }
        defer { next = Moment(rung: next.rung + 1) }
        return next
      }
    }
  }
}
