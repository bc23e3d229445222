/// Where a grace comes from.
///
/// More will come, so it is compared, not switched over.
public struct GraceOrigin: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: String, Hashable, Sendable, Codable {
    case program, environment
  }

  package let kind: Kind

  package init(kind: Kind) { self.kind = kind }

  /// The program says so: ``Lifecycle/init(_:grace:lameDuck:logger:)``.
  public static var program: Self { Self(kind: .program) }
  /// The environment variable `GRACEFUL_GRACE_SECONDS` says so.
  public static var environment: Self { Self(kind: .environment) }

  /// `the program`, `GRACEFUL_GRACE_SECONDS`.
  public var description: String {
    switch kind {
    case .program: "the program"
    case .environment: SecondsVariable.grace.rawValue
    }
  }
}

/// A grace, and where it comes from.
package struct GraceSetting: Hashable, Sendable {
  package var duration: Duration
  package var origin: GraceOrigin

  package init(_ duration: Duration, from origin: GraceOrigin = .program) {
    self.duration = duration
    self.origin = origin
  }
}
