/// What happened to the sessions of a phase.
public struct SessionReport: Hashable, Sendable {
  /// How many were admitted in all.
  public var admitted: Int
  /// How many were refused: the caller saw a ``PhaseError``.
  public var refused: Int
  /// How many were live when the phase was told to drain, or began below such a one, and ended by themselves.
  public var drained: Int
  /// How many threw.
  public var failed: Int
  /// How many were cancelled because the time was over, and ended.
  public var cancelled: Int
  /// How many had not ended when there was no time left to wait for them.
  public var abandoned: Int

  package init(admitted: Int, refused: Int, drained: Int, failed: Int, cancelled: Int, abandoned: Int) {
    self.admitted = admitted
    self.refused = refused
    self.drained = drained
    self.failed = failed
    self.cancelled = cancelled
    self.abandoned = abandoned
  }

  /// Whether there was nothing to report.
  package var isEmpty: Bool { admitted == 0 && refused == 0 }
}
