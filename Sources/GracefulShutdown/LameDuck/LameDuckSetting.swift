/// Where a lame-duck time comes from.
///
/// More will come, so it is compared, not switched over.
public struct LameDuckOrigin: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Hashable, Sendable, Codable {
    case program, environment, kubernetes
  }

  package let kind: Kind

  package init(kind: Kind) { self.kind = kind }

  /// The program says so: ``LameDuck/atMost(_:minimum:quiet:)``.
  public static var program: Self { Self(kind: .program) }
  /// Whoever started the program says so: the environment variable `GRACEFUL_LAME_DUCK_SECONDS`.
  public static var environment: Self { Self(kind: .environment) }
  /// Nobody says anything, and it runs under Kubernetes.
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

/// A lame-duck time as it was asked for, and by whom.
package struct LameDuckSetting: Hashable, Sendable {
  package var time: LameDuckTime
  package var origin: LameDuckOrigin

  package init(_ time: LameDuckTime, from origin: LameDuckOrigin = .program) {
    self.time = time
    self.origin = origin
  }
}

/// What a plan says of the lame-duck time.
public struct LameDuckPlan: Hashable, Sendable {
  /// How long at most, of what the grace leaves.
  public var limit: Duration
  /// How long at least, however quiet it is.
  public var minimum: Duration
  /// After how long without a new session it ends early.
  public var quiet: Duration
  /// How long it was to be at most: longer than the limit, when the grace leaves no more.
  public var asked: Duration
  /// Where it comes from.
  public var origin: LameDuckOrigin

  /// - Returns: `nil` when the grace leaves nothing.
  package init?(_ setting: LameDuckSetting, grace: Duration) {
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
