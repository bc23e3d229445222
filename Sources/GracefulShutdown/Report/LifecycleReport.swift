/// What happened, from start to end, as a value (S14).
public struct LifecycleReport: Hashable, Sendable {
  /// The name of the lifecycle.
  public var lifecycle: String
  /// The process that it is about.
  ///
  /// `nil`, as the times of day, when a report was made otherwise than by a run.
  public var pid: Int32?
  /// When `run()` was called, by the clock on the wall.
  ///
  /// This and ``endedAt`` are for people and other logs: that clock may be set meanwhile, and what lies between them need
  /// not be ``ran`` and ``took``.
  public var startedAt: UTCTime?
  /// When all had ended or been abandoned, by the clock on the wall.
  public var endedAt: UTCTime?
  /// The first request to stop, which decides.
  ///
  /// `nil` when the configuration was wrong and nothing was started.
  public var request: StopRequest?
  /// What was wrong with the configuration.
  ///
  /// When it is not empty, nothing was started.
  public var mistakes: [ConfigurationMistake]
  /// Every phase, in the order in which they were declared.
  ///
  /// Behind them, at most 256 of the child phases: those that ended otherwise than in good order, and those that were
  /// still open when the stop began.
  public var phases: [PhaseReport]
  /// What had not ended when its deadline came, in the order in which it came.
  ///
  /// The first one held up the others: those behind it may have had no time left. Sessions stand behind their phase, at
  /// most 100 of a phase, the oldest first.
  public var stragglers: [Straggler]
  /// From the start to the first request to stop.
  public var ran: Duration
  /// From the first request to stop to the end.
  public var took: Duration
  /// The lame-duck time that the stop began with.
  ///
  /// `nil` when there was none; see ``LameDuck``.
  public var lameDuck: LameDuck.Report?
  /// The grace that it had.
  public var grace: Duration
  /// Where that grace came from.
  public var graceOrigin: GraceOrigin
  /// The signal that ended it at once, as the third of its kind.
  public var endedBySignal: Int32?
  /// How many child phases were opened while the program ran.
  public var childrenOpened: Int
  /// What could not happen, or came too late to matter, and was ignored.
  public var ignored: [String]

  package init(
    lifecycle: String, request: StopRequest?, mistakes: [ConfigurationMistake], phases: [PhaseReport],
    stragglers: [Straggler], ran: Duration, took: Duration, grace: Duration, graceOrigin: GraceOrigin = .program,
    endedBySignal: Int32?,
    childrenOpened: Int = 0,
    ignored: [String]
  ) {
    self.lifecycle = lifecycle
    self.request = request
    self.mistakes = mistakes
    self.phases = phases
    self.stragglers = stragglers
    self.ran = ran
    self.took = took
    self.grace = grace
    self.graceOrigin = graceOrigin
    self.endedBySignal = endedBySignal
    self.childrenOpened = childrenOpened
    self.ignored = ignored
  }

  /// When the first request to stop came, by the clock that said ``endedAt``.
  ///
  /// `nil` when no stop was requested.
  public var stopRequestedAt: UTCTime? { request == nil ? nil : endedAt?.earlier(by: took) }

  /// The code to exit with.
  ///
  /// The first that applies: 128 + n ended at once by signal n; 124 something was cancelled or abandoned; 78 the
  /// configuration is wrong (`EX_CONFIG`, sysexits(3)); 1 a phase failed; 0 clean.
  public var exitCode: Int32 {
    // A request of one's own may name a signal that there is not; an exit code has eight bits.
    if let endedBySignal { return 128 + min(max(endedBySignal, 0), 127) }
    // Of child phases there may have been more than there is room for.
    if !stragglers.isEmpty || phases.contains(where: \.end.isStraggler) { return 124 }
    if !mistakes.isEmpty { return 78 }
    // The error of a child went to the code that opened it.
    return phases.contains { $0.end.isFailed && $0.parent == nil } ? 1 : 0
  }

  /// With what is not the state machine's to know: which process it was, and when.
  func written(by environment: some LifecycleEnvironment, startedAt: UTCTime) -> Self {
    var report = self
    report.pid = environment.processID
    report.startedAt = startedAt
    report.endedAt = environment.wallTime()
    return report
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
  /// The phase in which it was opened while the program ran.
  ///
  /// `nil` for the phases of the graph.
  public var parent: String?
  /// The phases that it requires, by name, in the order in which they were declared.
  ///
  /// Empty for a phase that was opened while the program runs.
  public var requires: [String]
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
  /// When it was told to drain: all that require it had ended.
  ///
  /// `nil` when it never was.
  public var drainAfter: Duration?
  /// When it was told that its turn has come: its sessions and children had ended, too.
  ///
  /// `nil` when it ended before that.
  public var turnAfter: Duration?
  /// When it ended, or was abandoned.
  public var endedAfter: Duration?
  /// How often it was started again for what it did itself.
  ///
  /// When it was stopped, and started again, only because a phase that it requires restarts, that counts only if it
  /// failed in it.
  public var restarted = 0
  /// Its restarts, at most 64: the first ones, and the last.
  public var restarts: [RestartReport] = []
  /// What happened to its sessions.
  ///
  /// `nil` when there were none.
  public var sessions: SessionReport?
  /// In the state machine, and for as long as the run: only to find it again.
  package var id = -1

  package init(
    name: String, parent: String? = nil, requires: [String] = [], end: PhaseEnd, startedAfter: Duration?,
    readyAfter: Duration?, drainAfter: Duration?, turnAfter: Duration?, endedAfter: Duration?
  ) {
    self.name = name
    self.parent = parent
    self.requires = requires
    self.end = end
    self.startedAfter = startedAfter
    self.readyAfter = readyAfter
    self.drainAfter = drainAfter
    self.turnAfter = turnAfter
    self.endedAfter = endedAfter
  }

  /// How long it took to stop, from when it was told to drain to its end.
  ///
  /// `nil` when it never was told, or had come back before.
  public var drainedFor: Duration? {
    guard let drainAfter, let endedAfter else { return nil }
    return endedAfter - drainAfter
  }
}
