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
  public var events: Events { Events(moments: moments) }

  /// The moments of a phase, as they come.
  public struct Events: AsyncSequence, Sendable {
    let moments: PhaseMoments

    /// Begins with the first moment, also when it has passed.
    public func makeAsyncIterator() -> Iterator { Iterator(moments: moments) }

    /// Reads the moments of a phase.
    public struct Iterator: AsyncIteratorProtocol {
      let moments: PhaseMoments
      private var next = Moment.stopRequested

      init(moments: PhaseMoments) { self.moments = moments }

      /// Waits for the next moment.
      public mutating func next(isolation actor: isolated (any Actor)? = #isolation) async -> Moment? {
        guard next <= .cancelled, await moments.wait(for: next) else { return nil }
        defer { next = Moment(rung: next.rung + 1) }
        return next
      }
    }
  }
}
