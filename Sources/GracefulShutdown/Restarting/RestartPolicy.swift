/// Whether a phase is started again when it comes back without having been asked to stop (S7).
///
/// ```swift
/// shop.phase("consumer", restart: .onFailure()) { phase in … }
/// ```
///
/// The delays grow: the first one, then each `factor` times the one before, up to a maximum, each a little longer or
/// shorter by chance so that many that failed together do not come back together. The count that they grow by is halved
/// for every ``decay`` that it has run without a failure. More than ``intensity`` restarts within ``window``, and the phase
/// gives up: the lifecycle stops as failed, with every restart in the report. When a stop begins, a delay ends at once,
/// and nothing is restarted any more.
///
/// The model is that of OTP's supervisors (intensity and period, one-for-one and rest-for-one) and of suture's decay.
public struct RestartPolicy: Hashable, Sendable {
  /// When a phase is started again; also when it is not ready within its start limit, unless it is never.
  ///
  /// More may come, so it is compared, not switched over.
  public struct Condition: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case never, onFailure, always }
    let kind: Kind

    /// It is not: its end stops the lifecycle.
    public static var never: Self { Self(kind: .never) }
    /// When it throws.
    public static var onFailure: Self { Self(kind: .onFailure) }
    /// When it throws, and when it returns.
    public static var always: Self { Self(kind: .always) }
  }

  /// What it means that a phase returns by itself, and is not started again for it.
  ///
  /// More may come, so it is compared, not switched over.
  public struct CleanReturn: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case stopsLifecycle, endsPhase, isFailure }
    let kind: Kind

    /// The whole stops; no failure.
    public static var stopsLifecycle: Self { Self(kind: .stopsLifecycle) }
    /// It has done what it had to do: it counts as ready, what requires it starts, and the rest runs on.
    ///
    /// For a migration before the service that needs it.
    public static var endsPhase: Self { Self(kind: .endsPhase) }
    /// It should have run on: as if it had thrown.
    public static var isFailure: Self { Self(kind: .isFailure) }
  }

  /// What becomes of those that require a phase while it restarts.
  ///
  /// More may come, so it is compared, not switched over.
  public struct Dependents: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case wait, restart }
    let kind: Kind

    /// They run on, and can see that they wait (``Phase/isWaiting``): one-for-one.
    public static var wait: Self { Self(kind: .wait) }
    /// They stop, in order, and are started again after it: rest-for-one.
    ///
    /// Each has the time that a stop of the whole would have, clipped to its limit, and is cancelled when that is over;
    /// the restart waits for them. A phase that has to be abandoned cannot be started again, since it may still run: the
    /// whole stops as failed. A phase that had done its work (``CleanReturn/endsPhase``) does it again.
    public static var restart: Self { Self(kind: .restart) }
  }

  /// What becomes of sessions that are opened in a phase while it restarts.
  ///
  /// That is, by others: by code that has the ``Phase`` of a run that is over. What the new run opens before it is ready,
  /// sessions and child phases, is let in, as in the first run: its body, the tasks that this starts, and everybody to
  /// whom it gives its own ``Phase``.
  ///
  /// More may come, so it is compared, not switched over.
  public struct Sessions: Hashable, Sendable {
    enum Kind: Hashable, Sendable { case refuse, wait }
    let kind: Kind

    /// They are refused, as while draining.
    public static var refuse: Self { Self(kind: .refuse) }
    /// Scoped ones wait until it is ready again, or a stop begins; those without a scope, and child phases, are refused.
    ///
    /// Also while it is stopped to be started again, after another phase or because it was not ready in time. Do not
    /// combine it with dependents that are restarted and open sessions in it while they drain: they would wait for each
    /// other, until the dependents are cancelled.
    public static var wait: Self { Self(kind: .wait) }
  }

  /// When it is started again.
  public var condition: Condition
  /// The delay before the first restart; 100 ms unless said otherwise.
  ///
  /// Zero or less restarts at once. But two restarts of a phase are at least 10 ms apart, whatever the policy: a loop in
  /// which nothing takes any time must cost next to none.
  public var firstDelay: Duration = .milliseconds(100)
  /// Whether the first restart comes at once, and ``firstDelay`` before the second; false unless said otherwise.
  ///
  /// The delays of `canstop`, 0, then 1, 2, 4, at most 8 s, are `firstAtOnce` with a ``firstDelay`` of 1 s, a
  /// ``maximumDelay`` of 8 s and a ``jitter`` of 0; it never gives up, as a ``window`` of zero says.
  public var firstAtOnce = false
  /// How much longer each delay is than the one before; 2 unless said otherwise.
  ///
  /// Under 1, or no number, it counts as 1.
  public var factor: Double = 2
  /// The longest delay; 30 s unless said otherwise.
  ///
  /// It may be longer than the grace, for a stop ends it. Shorter than ``firstDelay``, it is every delay.
  public var maximumDelay: Duration = .seconds(30)
  /// How much longer or shorter than computed a delay may be by chance, as a part of it; 0.2 unless said otherwise.
  ///
  /// Between 0 and 1; what is outside counts as the nearer of these, and what is no number as 0.
  public var jitter: Double = 0.2
  /// After how long without a failure the count of failures is halved, that the delays grow by; 30 s unless said
  /// otherwise.
  ///
  /// It begins when the phase is started again: the delay itself is no time without a failure. Zero or less, and the count
  /// is never halved.
  public var decay: Duration = .seconds(30)
  /// How many restarts there may be within ``window``; 10 unless said otherwise.
  ///
  /// With 0 or less the first failure is one too many. More than 10,000 counts as 10,000.
  public var intensity = 10
  /// The time in which restarts are counted; 10 minutes unless said otherwise.
  ///
  /// What fails just slower than that allows never adds up, and is restarted for ever. With zero or less no restart is
  /// within it, and the phase never gives up.
  public var window: Duration = .seconds(600)
  /// What a return means after which it is not started again: the whole stops, unless said otherwise.
  public var cleanReturn: CleanReturn = .stopsLifecycle
  /// What those do that require it: they wait, unless said otherwise.
  public var dependents: Dependents = .wait
  /// What becomes of sessions meanwhile: they are refused, unless said otherwise.
  public var sessions: Sessions = .refuse

  /// A policy with the values that are given at each property.
  public init(_ condition: Condition) { self.condition = condition }

  /// Never started again.
  public static var never: Self { Self(.never) }

  /// Never started again; that it returns is the end of this phase and not of the whole.
  public static var once: Self {
    var policy = Self(.never)
    policy.cleanReturn = .endsPhase
    return policy
  }

  /// Started again when it throws.
  ///
  /// - Parameters:
  ///   - intensity: How many restarts there may be within the window.
  ///   - window: The time in which restarts are counted.
  public static func onFailure(intensity: Int = 10, window: Duration = .seconds(600)) -> Self {
    var policy = Self(.onFailure)
    policy.intensity = intensity
    policy.window = window
    return policy
  }

  /// Started again whenever it comes back.
  ///
  /// - Parameters:
  ///   - intensity: How many restarts there may be within the window.
  ///   - window: The time in which restarts are counted.
  public static func always(intensity: Int = 10, window: Duration = .seconds(600)) -> Self {
    var policy = Self(.always)
    policy.intensity = intensity
    policy.window = window
    return policy
  }
}
