/// Whether a stop begins with a lame-duck time, and how long that is: everything is still served, and `/readyz` says no.
///
/// A load balancer goes on sending for a while after a program has said that it is not ready any more. In this time its
/// requests are still answered. The lame-duck time runs *inside* the drain and its one deadline: every phase has heard of the
/// stop (``Phase/stopRequested()``), and no phase is told to drain yet. The drain has that much less time.
///
/// It ends early once no session was admitted for a while, in any phase of the graph, and nothing else came that is counted
/// (``Phase/countArrivals(_:)``: a server of `GracefulNIO` counts its connections), but not before its minimum; and at
/// once, whatever its minimum, when the stop becomes urgent (a second signal, ``StopRequest/Urgency/cancelNow``), when no
/// phase runs any more, when one fails, or when a successor has taken over.
///
/// A stop has a lame-duck time only when its request comes from outside: a signal, the program's own code, the
/// `ServiceGroup` around it. A successor that took over serves already, and no client has to be waited for; when a phase
/// failed or ended by itself, not everything is served any more; an urgent request does not wait; and a program that was
/// not ready yet was sent no requests. A phase that is stopped alone has none, and neither has a lifecycle that a phase
/// holds: that of the whole counts.
public struct LameDuck: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    case automatic
    case none
    case lasting(Timing)
  }

  package let kind: Kind

  /// None; where `KUBERNETES_SERVICE_HOST` is set, 5 s at most, 3 s at least, and over when no session came for 1 s.
  ///
  /// Kubernetes sends `SIGTERM` and takes a pod out of its services at the same time, and the second takes a while.
  public static var automatic: Self { Self(kind: .automatic) }

  /// None, wherever the program runs.
  public static var none: Self { Self(kind: .none) }

  /// One of this length.
  ///
  /// - Parameters:
  ///   - limit: How long at most. Never more than half of what the grace leaves to drain: then the log warns of it. Zero or
  ///     less: none.
  ///   - minimum: How long at least, however quiet it is; 3 s unless given. No longer than the limit.
  ///   - quiet: After how long without a new session it ends early; 1 s unless given, and at least 10 ms. As long as the
  ///     limit: never early.
  public static func atMost(
    _ limit: Duration, minimum: Duration = Timing.defaultMinimum, quiet: Duration = Timing.defaultQuiet
  ) -> Self {
    Self(kind: limit > .zero ? .lasting(Timing(limit: limit, minimum: minimum, quiet: quiet)) : .none)
  }
}

extension LameDuck {
  /// How long a lame-duck time is.
  public struct Timing: Hashable, Sendable {
    /// How long at most.
    public var limit: Duration
    /// How long at least, however quiet it is.
    public var minimum: Duration
    /// After how long without a new session it ends early.
    public var quiet: Duration

    /// 3 s.
    public static var defaultMinimum: Duration { .seconds(3) }
    /// 1 s.
    public static var defaultQuiet: Duration { .seconds(1) }

    /// The sessions are looked at no more often than that.
    package static var leastQuiet: Duration { .milliseconds(10) }

    package init(limit: Duration, minimum: Duration = defaultMinimum, quiet: Duration = defaultQuiet) {
      self.limit = max(limit.bounded, .zero)
      self.minimum = min(max(minimum.bounded, .zero), self.limit)
      self.quiet = max(quiet.bounded, Self.leastQuiet)
    }

    /// What of it fits into a grace: at most half of what that leaves to drain, so that no drain becomes shorter than this.
    ///
    /// - Returns: `nil` when nothing is left.
    package func clipped(to grace: Duration) -> Timing? {
      let room = StopTimetable.drainTime(of: grace) / 2
      guard min(limit, room) > .zero else { return nil }
      return Timing(limit: min(limit, room), minimum: minimum, quiet: quiet)
    }
  }
}
