/// What a rehearsal found.
public struct RehearsalReport: Hashable, Sendable {
  /// One restart.
  public struct Restart: Hashable, Sendable {
    /// From 1 on.
    public var index: Int
    /// When it was asked for, in milliseconds from the start of the rehearsal.
    public var requestedAtMs: Double
    /// How it ended.
    public var outcome: RestartOutcome
    /// The new process, where it is known; of a server that stays and replaces its workers, one of the new workers.
    public var pid: Int32?
    /// The new process's generation, where its answers name it.
    public var generation: Int?
    /// From the request for the restart to the new process's first answer that was seen.
    ///
    /// Where a restart counts on trust: to its outcome.
    public var servingAfterMs: Double?
    /// How it is known that the new process serves; `nil` where that is not known, or it does not.
    public var provenBy: RestartProof?
    /// The process that was replaced; `nil` where it stayed and replaced only its workers, as nginx does at a reload.
    public var oldPid: Int32?
    /// From the request for the restart to the end of the old process; `nil` while it lives.
    public var oldExitedAfterMs: Double?
    /// What a shell would show of its end: a code, or 128 and the number of a signal.
    public var oldExitCode: Int32?
    /// Whether a fault of the rehearsal's own explains that it did not serve.
    public var wasFaulted = false
    /// The process from before the restart that still answered when it was given up; not in the JSON.
    public var answering: Int32?
  }

  /// One stop.
  public struct Stop: Hashable, Sendable {
    /// From 1 on.
    public var index: Int
    /// When it was asked for, in milliseconds from the start of the rehearsal.
    public var requestedAtMs: Double
    /// How it ended.
    public var outcome: StopOutcome
    /// The process that was asked to stop.
    public var pid: Int32
    /// From the request to the end of the process; `nil` when the server served on.
    public var endedAfterMs: Double?
    /// What a shell would show of its end: a code, or 128 and the number of a signal.
    public var exitCode: Int32?
    /// The same of the command that asked; `nil` where there was none.
    public var commandCode: Int32?
    /// Connections that were refused from the request until the next server answered.
    public var turnedAway: Int
    /// From the request to the first of them.
    public var firstTurnedAwayAfterMs: Double?
    /// From the request until the next server was seen to answer; `nil` when it was not.
    public var servingAfterMs: Double?
  }

  /// What the clients of one mode saw.
  public struct Load: Hashable, Sendable {
    /// How many clients there were.
    public var connections: Int
    /// How many requests were sent, the steady run included.
    public var requests: Int
    /// How many of them were answered.
    public var answered: Int
    /// The others, by kind; a kind that is missing did not occur.
    public var failed: [FailureKind: Int]
    /// Refused while a stop was going on, which a client could know: neither answered nor failed.
    public var turnedAway = 0
    /// Closes that an answer had announced.
    public var announcedCloses: Int
    /// Closes while no request was in flight.
    public var idleCloses: Int
    /// Latencies before the first restart.
    public var steady: LatencySummary
    /// Latencies during a restart and for 500 ms after it.
    public var restarting: LatencySummary
    /// Latencies in the remaining time.
    public var between: LatencySummary

    /// What decides the outcome: all failures but those of processes that the rehearsal itself killed.
    public var lost: Int { failed.filter { $0.key != .ownerKilled }.values.reduce(0, +) }
  }

  /// What was run.
  public var command: [String]
  /// Every restart that was asked for.
  public var restarts: [Restart]
  /// Every stop that was asked for.
  public var stops: [Stop] = []
  /// Clients that kept their connections; `nil` when there were none.
  public var keepalive: Load?
  /// Clients with a connection for each request; `nil` when there were none.
  public var new: Load?
  /// Old processes that had not ended in their time, under load and after it, and stopped ones that were not ended.
  public var leftOver: [Int32]
  /// What it comes to.
  public var outcome: RehearsalOutcome
  /// The last lines of the server's standard error, when they were kept.
  public var lastErrorLines: [String] = []
  /// How long it took.
  public var duration: Duration = .zero

  /// All requests that were lost.
  public var lost: Int { (keepalive?.lost ?? 0) + (new?.lost ?? 0) }
}
