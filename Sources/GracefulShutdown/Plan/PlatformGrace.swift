/// How long the platform waits after it has asked a program to stop, before it kills it.
///
/// The platform does not tell the program, so unless `GRACEFUL_PLATFORM_GRACE_SECONDS` does, it is what the platform does when it is not
/// told otherwise: 30 s under Kubernetes (`terminationGracePeriodSeconds`), 90 s under systemd (`TimeoutStopSec`,
/// systemd-system.conf(5)), 10 s in another container (`docker stop --time`, `podman stop --time`).
public struct PlatformGrace: Hashable, Sendable {
  /// Which platform it is, or who said so.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Source: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: String, Hashable, Sendable, Codable {
      case environment, kubernetes, systemd, container
    }

    package let kind: Kind

    package init(kind: Kind) { self.kind = kind }

    /// The environment variable `GRACEFUL_PLATFORM_GRACE_SECONDS`.
    public static var environment: Self { Self(kind: .environment) }
    /// A pod of Kubernetes, unless told otherwise.
    public static var kubernetes: Self { Self(kind: .kubernetes) }
    /// A service of systemd, unless told otherwise.
    public static var systemd: Self { Self(kind: .systemd) }
    /// Another container, unless told otherwise.
    public static var container: Self { Self(kind: .container) }

    /// In a few words.
    public var description: String {
      switch kind {
      case .environment: SecondsVariable.platformGrace.rawValue
      case .kubernetes: "Kubernetes, unless told otherwise"
      case .systemd: "systemd, unless told otherwise"
      case .container: "a container, unless told otherwise"
      }
    }

    /// What makes the platform wait longer.
    var setting: String {
      switch kind {
      case .environment: "the time that the platform gives, and \(SecondsVariable.platformGrace.rawValue) with it"
      case .kubernetes: "terminationGracePeriodSeconds of the pod"
      case .systemd: "TimeoutStopSec= of the unit"
      case .container: "the stop timeout of the container (docker run --stop-timeout, stop_grace_period)"
      }
    }
  }

  /// From the request to stop to the kill.
  public var duration: Duration
  /// How that is known.
  public var source: Source

  package init(_ duration: Duration, _ source: Source) {
    self.duration = duration
    self.source = source
  }

  /// What to do about a grace that is longer, in words.
  package func advice(for grace: GraceSetting) -> String {
    let own =
      grace.origin == .environment ? SecondsVariable.grace.rawValue : "the grace (\(SecondsVariable.grace.rawValue))"
    let told =
      source == .environment
      ? "" : "; if it waits longer already, say so in \(SecondsVariable.platformGrace.rawValue)"
    return "set \(source.setting) to \(grace.duration.brief) or more, or \(own) to \(duration.brief) or less\(told)"
  }
}
