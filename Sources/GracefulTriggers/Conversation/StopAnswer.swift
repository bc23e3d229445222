public import GracefulShutdown

/// What the client of a stop is told, and only when it is true (T2).
public struct StopAnswer: Hashable, Sendable {
  /// How far the stop is.
  ///
  /// More will come, so it is compared, not switched over.
  public struct State: Hashable, Sendable, CustomStringConvertible {
    /// One word, as in JSON.
    public let description: String

    /// No stop was requested: it runs, or starts.
    public static var running: Self { Self(description: "running") }
    /// The request has been taken: it will stop; until then, everything is served.
    public static var accepted: Self { Self(description: "accepted") }
    /// The request has not been taken; ``StopAnswer/refusal`` says why.
    ///
    /// The program is being replaced, and another process is to be stopped. The client may ask again in a moment.
    public static var refused: Self { Self(description: "refused") }
    /// It is on its way down.
    public static var draining: Self { Self(description: "draining") }
    /// Everything has ended, or was abandoned, and the process is about to exit.
    public static var stopped: Self { Self(description: "stopped") }
  }

  /// How far the stop is.
  public var state: State
  /// How many phases have not ended; child phases are not counted.
  public var phasesLeft: Int
  /// What holds it up: the phases that have been told to drain and have not ended, in the order of their declaration.
  public var holding: [Holding]
  /// How much of the grace is left; negative, when even that is over.
  public var left: Duration?
  /// How long everything is still served, at most, before a phase is told to drain: the lame-duck time.
  public var lameDuckLeft: Duration?
  /// The exit code, once it has stopped.
  public var exitCode: Int32?
  /// How it ended, in a line, once it has stopped.
  public var summary: String?
  /// Why the request was not taken.
  public var refusal: String?

  /// A phase that holds up a stop.
  public struct Holding: Hashable, Sendable {
    /// Its name.
    public var phase: String
    /// Sessions that are open in it.
    public var sessions: Int
    /// How long it may take until it is cancelled, or abandoned.
    public var left: Duration?
  }

  /// What a snapshot says: also that no stop was requested.
  public init(_ snapshot: LifecycleSnapshot) {
    let own = snapshot.phases.filter { $0.parent == nil }
    let begun = own.filter { $0.state != .ended && $0.state != .waiting }
    // As long as it is a lame duck, nothing drains.
    let isDraining = snapshot.state == .stopping && snapshot.lameDuckLeft == nil
    // A program that was asked before its run is not on its way down yet; a program that fails goes down without a request.
    let isAsked = snapshot.request != nil || snapshot.state == .stopping
    state = snapshot.state == .finished ? .stopped : isDraining ? .draining : isAsked ? .accepted : .running
    phasesLeft = begun.count
    holding = begun.filter { $0.state == .draining || $0.state == .cancelled }.map {
      Holding(phase: $0.name, sessions: $0.sessionsLive, left: $0.left)
    }
    left = snapshot.left
    lameDuckLeft = snapshot.lameDuckLeft
    exitCode = nil
  }

  /// What the report says: the end.
  public init(_ report: LifecycleReport) {
    state = .stopped
    phasesLeft = 0
    holding = []
    left = nil
    lameDuckLeft = nil
    exitCode = report.exitCode
    summary = report.summary
  }
}
