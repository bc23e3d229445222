/// What happened, from start to end, as a value (S14).
public struct LifecycleReport: Hashable, Sendable {
  /// The name of the lifecycle.
  public var lifecycle: String
  /// The first request to stop, which decides.
  ///
  /// `nil` when the configuration was wrong and nothing was started.
  public var request: StopRequest?
  /// What was wrong with the configuration.
  ///
  /// When it is not empty, nothing was started.
  public var mistakes: [ConfigurationMistake]
  /// Every phase, in the order in which they were declared.
  public var phases: [PhaseReport]
  /// The names of the phases that had not ended when their deadline came, in the order in which it came.
  ///
  /// The first one held up the others: those behind it may have had no time left.
  public var stragglers: [String]
  /// From the start to the first request to stop.
  public var ran: Duration
  /// From the first request to stop to the end.
  public var took: Duration
  /// The grace that it had.
  public var grace: Duration
  /// The signal that ended it at once, as the third of its kind.
  public var endedBySignal: Int32?
  /// What could not happen, or came too late to matter, and was ignored.
  public var ignored: [String]

  package init(
    lifecycle: String, request: StopRequest?, mistakes: [ConfigurationMistake], phases: [PhaseReport],
    stragglers: [String], ran: Duration, took: Duration, grace: Duration, endedBySignal: Int32?, ignored: [String]
  ) {
    self.lifecycle = lifecycle
    self.request = request
    self.mistakes = mistakes
    self.phases = phases
    self.stragglers = stragglers
    self.ran = ran
    self.took = took
    self.grace = grace
    self.endedBySignal = endedBySignal
    self.ignored = ignored
  }

  /// The code to exit with.
  ///
  /// The first that applies: 128 + n ended at once by signal n; 124 something was cancelled or abandoned; 78 the
  /// configuration is wrong (`EX_CONFIG`, sysexits(3)); 1 a phase failed; 0 clean.
  public var exitCode: Int32 {
    if let endedBySignal { return 128 + endedBySignal }
    if phases.contains(where: \.end.isStraggler) { return 124 }
    if !mistakes.isEmpty { return 78 }
    return phases.contains(where: \.end.isFailed) ? 1 : 0
  }

  /// Whether something was left running, or cut off by a signal: there is nothing to wait for any more.
  package var isForced: Bool { endedBySignal != nil || phases.contains { $0.end == .abandoned } }
}

/// What happened to one phase.
///
/// All times are counted from the start of the lifecycle.
public struct PhaseReport: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// How it ended.
  public var end: PhaseEnd
  /// When its body was called.
  ///
  /// `nil` when it never was.
  public var startedAfter: Duration?
  /// When it said that it is ready.
  ///
  /// `nil` when it never did.
  public var readyAfter: Duration?
  /// When it was told that its turn to stop has come.
  ///
  /// `nil` when it ended before that.
  public var turnAfter: Duration?
  /// When it ended, or was abandoned.
  public var endedAfter: Duration?

  package init(
    name: String, end: PhaseEnd, startedAfter: Duration?, readyAfter: Duration?, turnAfter: Duration?,
    endedAfter: Duration?
  ) {
    self.name = name
    self.end = end
    self.startedAfter = startedAfter
    self.readyAfter = readyAfter
    self.turnAfter = turnAfter
    self.endedAfter = endedAfter
  }

  /// How long it took to stop, from its turn to its end.
  ///
  /// `nil` when it ended before its turn came.
  public var drainedFor: Duration? {
    guard let turnAfter, let endedAfter else { return nil }
    return endedAfter - turnAfter
  }
}
