public import GracefulShutdown

/// Remembers whether everything was ready once: a startup probe asks for that, and a snapshot does not tell.
///
/// A value that is told of what happens, and may be told of what a snapshot says, too.
public struct ReadyMemory: Hashable, Sendable {
  /// Whether everything was ready at the same time, before a stop was asked for.
  public private(set) var wasReady = false
  private var awaited: Set<String> = []
  private var isStopping = false

  /// Nothing was seen yet.
  public init() {}

  /// The run begins, with these phases.
  package mutating func begin(_ phases: [String]) { awaited = Set(phases) }

  /// Something happened.
  package mutating func see(_ event: LifecycleEvent) {
    if event.kind == .stopRequested { isStopping = true }
    if let phase = event.phase {
      if event.kind == .ready || event.kind == .stoppedBeforeReady { awaited.remove(phase) }
      if event.kind == .restarting { awaited.insert(phase) }
    }
    // Only what becomes ready can have been the last to wait for.
    if !isStopping, awaited.isEmpty, event.kind == .ready || event.kind == .stoppedBeforeReady { wasReady = true }
  }

  /// A snapshot was taken.
  public mutating func see(_ snapshot: LifecycleSnapshot) {
    if snapshot.state == .running { wasReady = true }
  }
}
