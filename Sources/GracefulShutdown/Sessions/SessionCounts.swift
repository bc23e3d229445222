/// How many sessions a phase has had, and what became of them.
///
/// Every number is exact once nothing begins or ends any more. While sessions come and go, each stripe is counted at an
/// instant of its own.
package struct SessionCounts: Hashable, Sendable {
  /// All that were ever admitted.
  package var admitted: UInt64 = 0
  /// All that were turned away.
  package var refused: UInt64 = 0
  /// Inside now; once the phase has been given up: abandoned.
  package var live = 0
  /// Of all: ended with an error.
  package var failed = 0
  /// Of all: ended with a `CancellationError` after the lifecycle had cancelled them.
  package var cancelled = 0
  /// Inside when the gate closed; 0 as long as it is open.
  package var liveAtClose = 0
  /// Opened after that by what was inside.
  package var admittedWhileDraining: UInt64 = 0
  /// Ended with an error after the gate had closed.
  package var failedWhileDraining = 0
  /// Cancelled after the gate had closed.
  package var cancelledWhileDraining = 0
  /// Child phases inside now; they are counted in no other number here.
  package var children = 0

  package init() {}

  /// Ended well after the gate had closed.
  package var drained: Int {
    // A reader while it is being closed must not see less than none.
    max(liveAtClose + Int(admittedWhileDraining) - live - failedWhileDraining - cancelledWhileDraining, 0)
  }
}

/// A session with a name that has not ended: for the stragglers in the report.
package struct NamedSession: Hashable, Sendable {
  package var name: String
  /// When it began.
  package var since: ContinuousClock.Instant

  package init(name: String, since: ContinuousClock.Instant) {
    self.name = name
    self.since = since
  }
}
