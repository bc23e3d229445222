/// Something that happened in a lifecycle.
///
/// Those of one phase come in the order of ``Kind``, each at most once in each of its runs, and its end before the end of
/// the whole; ``Kind/waiting``, ``Kind/resumed`` and ``Kind/stoppedBeforeReady`` may come at any time. Of two phases that do not
/// depend on each other, either may come first.
public struct LifecycleEvent: Hashable, Sendable, CustomStringConvertible {
  /// What happened.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Kind: Hashable, Sendable, CustomStringConvertible {
    /// In one or two words.
    public let description: String

    private init(_ description: String) { self.description = description }

    /// The body of a phase was called, or a child phase was opened.
    public static var started: Self { Self("started") }
    /// A phase said that it is ready; child phases have no dependents to say it to.
    public static var ready: Self { Self("ready") }
    /// A phase was stopped alone before it was ready, or before it began: its readiness is waited for no longer.
    public static var stoppedBeforeReady: Self { Self("stopped before it was ready") }
    /// A stop was asked for, perhaps not for the first time.
    public static var stopRequested: Self { Self("stop requested") }
    /// A phase came back by itself, or was not ready in time, and is started again after a while.
    ///
    /// With it its next run begins.
    public static var restarting: Self { Self("restarting") }
    /// Something that a phase requires restarts.
    public static var waiting: Self { Self("waiting") }
    /// All that a phase requires is ready again.
    public static var resumed: Self { Self("resumed") }
    /// A stop has begun, and everything is still served for a while: a lame-duck time.
    public static var lameDuckBegan: Self { Self("lame duck") }
    /// The lame-duck time is over, and those whose turn it is are told to drain.
    public static var lameDuckEnded: Self { Self("lame duck ended") }
    /// A phase was told to drain.
    public static var draining: Self { Self("draining") }
    /// The time of a phase was over, and it was cancelled.
    public static var cancelled: Self { Self("cancelled") }
    /// A phase has ended, or was abandoned.
    public static var ended: Self { Self("ended") }
    /// The end of the whole, and the last event.
    public static var finished: Self { Self("finished") }
  }

  /// What happened.
  public var kind: Kind
  /// To which phase; a child phase has its parents' names before its own: `web/import`.
  public var phase: String?
  /// The request, with ``Kind/stopRequested``.
  public var request: StopRequest?
  /// How the phase ended, with ``Kind/ended``.
  public var end: PhaseEnd?
  /// What became of the lame-duck time, with ``Kind/lameDuckEnded``.
  public var lameDuck: LameDuck.Report?
  /// The report, with ``Kind/finished``.
  public var report: LifecycleReport?

  init(
    _ kind: Kind, phase: String? = nil, request: StopRequest? = nil, end: PhaseEnd? = nil,
    lameDuck: LameDuck.Report? = nil, report: LifecycleReport? = nil
  ) {
    self.kind = kind
    self.phase = phase
    self.request = request
    self.end = end
    self.lameDuck = lameDuck
    self.report = report
  }

  /// `web: draining`, `stop requested: SIGTERM`.
  public var description: String {
    if let phase { return "\(phase): \(end?.description ?? kind.description)" }
    if let lameDuck { return "\(kind) after \(lameDuck.took.brief): \(lameDuck.end)" }
    if let request { return "\(kind): \(request)" }
    return report?.summary ?? kind.description
  }
}
