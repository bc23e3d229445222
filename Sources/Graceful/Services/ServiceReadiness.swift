/// When a phase that runs a foreign service is ready.
///
/// More may come, so it is compared, not switched over.
public struct ServiceReadiness: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    case onStart
    case explicit
  }

  let kind: Kind

  /// As soon as its `run()` is called: for services that know nothing of readiness.
  ///
  /// What requires the phase may then start before the service serves.
  public static var onStart: Self { Self(kind: .onStart) }
  /// When the service says so, by `Phase.current?.ready()`, wherever it is in its task or in a child task.
  ///
  /// A service that never does so keeps those phases waiting that require it.
  public static var explicit: Self { Self(kind: .explicit) }
}
