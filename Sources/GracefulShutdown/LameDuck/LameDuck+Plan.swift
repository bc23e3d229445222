extension LameDuck {
  /// Where a lame-duck time comes from.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Origin: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, Codable {
      case program, environment, kubernetes
    }

    package let kind: Kind

    package init(kind: Kind) { self.kind = kind }

    /// The program says so: ``LameDuck/atMost(_:minimum:quiet:)``.
    public static var program: Self { Self(kind: .program) }
    /// The environment variable `GRACEFUL_LAME_DUCK_SECONDS` says so.
    public static var environment: Self { Self(kind: .environment) }
    /// Neither says anything, and the program runs under Kubernetes.
    public static var kubernetes: Self { Self(kind: .kubernetes) }

    /// `the program`, `GRACEFUL_LAME_DUCK_SECONDS`, `Kubernetes`.
    public var description: String {
      switch kind {
      case .program: "the program"
      case .environment: SecondsVariable.lameDuck.rawValue
      case .kubernetes: "Kubernetes"
      }
    }
  }

  /// A lame-duck time as it was asked for, and where that comes from.
  package struct Setting: Hashable, Sendable {
    package var time: Timing
    package var origin: Origin

    package init(_ time: Timing, from origin: Origin = .program) {
      self.time = time
      self.origin = origin
    }
  }

  /// What a plan says of the lame-duck time.
  public struct Plan: Hashable, Sendable {
    /// How long at most, of what the grace leaves.
    public var limit: Duration
    /// How long at least, however quiet it is.
    public var minimum: Duration
    /// After how long without a new session it ends early.
    public var quiet: Duration
    /// How long it was to be at most: longer than the limit, when the grace leaves no more.
    public var asked: Duration
    /// Where it comes from.
    public var origin: Origin

    /// - Returns: `nil` when the grace leaves nothing.
    package init?(_ setting: Setting, grace: Duration) {
      guard let time = setting.time.clipped(to: grace) else { return nil }
      limit = time.limit
      minimum = time.minimum
      quiet = time.quiet
      asked = setting.time.limit
      origin = setting.origin
    }

    /// Whether it is shorter than it was to be.
    public var isClipped: Bool { limit < asked }
  }
}
