/// Where everything in a lifecycle is at one instant (S13).
public struct LifecycleSnapshot: Hashable, Sendable {
  /// Where the whole is.
  ///
  /// More will come, so it is compared, not switched over.
  public struct State: Hashable, Sendable, CustomStringConvertible {
    /// One word, as in JSON.
    public let description: String

    /// `run()` was not called yet.
    public static var declared: Self { Self(description: "declared") }
    /// Something is not ready yet.
    public static var starting: Self { Self(description: "starting") }
    /// Everything is ready.
    public static var running: Self { Self(description: "running") }
    /// A stop was asked for.
    public static var stopping: Self { Self(description: "stopping") }
    /// There is a report.
    public static var finished: Self { Self(description: "finished") }
  }

  /// The name of the lifecycle.
  public var lifecycle: String
  /// Where the whole is.
  public var state: State
  /// Since when it runs.
  public var running: Duration?
  /// The first request to stop.
  public var request: StopRequest?
  /// How long it may take to stop.
  public var grace: Duration
  /// How much of the grace is left; negative, when even that is over.
  ///
  /// `nil` before a stop is requested.
  public var left: Duration?
  /// How long everything is still served, at most, before the first phase is told to drain.
  ///
  /// `nil` when there is no lame-duck time, or it is over; see ``LameDuck``.
  public var lameDuckLeft: Duration?
  /// The phases in the order in which they were declared, then the child phases that are open, at most 1,000 of these.
  public var phases: [PhaseSnapshot]
}

/// Where a phase is at one instant.
public struct PhaseSnapshot: Hashable, Sendable {
  /// Where a phase is.
  ///
  /// More will come, so it is compared, not switched over.
  public struct State: Hashable, Sendable, CustomStringConvertible {
    /// One word, as in JSON.
    public let description: String

    /// Something that it requires is not ready.
    public static var waiting: Self { Self(description: "waiting") }
    /// It runs and has not said that it is ready.
    public static var starting: Self { Self(description: "starting") }
    /// It is ready.
    public static var ready: Self { Self(description: "ready") }
    /// It came back by itself, and waits to be started again.
    public static var restarting: Self { Self(description: "restarting") }
    /// It was told to drain.
    public static var draining: Self { Self(description: "draining") }
    /// It was cancelled, or the sessions in it were.
    public static var cancelled: Self { Self(description: "cancelled") }
    /// It has ended, or was abandoned.
    public static var ended: Self { Self(description: "ended") }
  }

  /// Its name; a child phase has its parents' before it: `web/import`.
  public var name: String
  /// The phase in which it was opened while the program runs.
  public var parent: String?
  /// Where it is.
  public var state: State
  /// How it ended.
  public var end: PhaseEnd?
  /// How long ago it began.
  public var age: Duration?
  /// How long it may take until something is done about it: until it is cancelled, or abandoned.
  ///
  /// `nil` when it has no deadline.
  public var left: Duration?
  /// Whether something that it requires restarts.
  public var isWaiting: Bool
  /// How often it was started again for what it did itself, and not only for a phase that it requires; while it waits for
  /// that, this time is counted, too.
  public var restarts: Int
  /// Sessions that are open.
  public var sessionsLive: Int
  /// Sessions that were admitted in all.
  public var sessionsAdmitted: Int
  /// Sessions that were refused.
  public var sessionsRefused: Int
  /// Sessions that threw.
  public var sessionsFailed: Int
  /// Sessions that were cancelled because the time was over, and ended.
  public var sessionsCancelled: Int
  /// Child phases that are open.
  public var children: Int
  /// The sessions that were given a name, the oldest first, at most ten.
  public var oldestSessions: [SessionSnapshot]
}

/// A session that was given a name, at one instant.
public struct SessionSnapshot: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// How long ago it began.
  public var age: Duration
}
