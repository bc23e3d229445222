/// An observer is told of what happens in a lifecycle, here and now and with its instant, in the order of the events.
///
/// It is called under a lock, and by threads that end the process in time: it must only write down what it is told, and do
/// elsewhere what that calls for. Of child phases it is told nothing: there may be millions.
package protocol LifecycleObserver: Sendable {
  /// What it is for: of each purpose a lifecycle has one.
  var purpose: String { get }

  /// A phase that is told to drain only after what happened before it has been dealt with, or when waiting for that would
  /// take too long: it carries away what the observer brings.
  var lastPhase: String? { get }

  /// The run begins, before anything else is observed.
  ///
  /// Also when the configuration is wrong: then the end follows at once.
  func begin(_ phases: [String], in environment: any LifecycleEnvironment, at instant: ContinuousClock.Instant)

  /// Something happened.
  func observe(_ event: LifecycleEvent, at instant: ContinuousClock.Instant)

  /// Calls back, once, when all that was observed before has been dealt with; at once, when it has been.
  func whenSettled(_ body: @escaping @Sendable () -> Void)

  /// Whether all that was observed has been dealt with.
  var isSettled: Bool { get }
}

/// What became of an observer that was added.
package enum ObserverAdmission: Hashable, Sendable {
  case admitted
  /// There is an observer for the same purpose.
  case taken
  /// The run has begun.
  case late
}
