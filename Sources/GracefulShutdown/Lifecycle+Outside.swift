import Synchronization

extension Lifecycle {
  /// The lifecycle that holds this one, or this one: what runs in this process as a whole.
  package var whole: Lifecycle {
    var next = self
    while case .held(let whole, _) = next.stage.withLock({ $0 }) { next = whole }
    return next
  }

  /// Has something said at the end of the run that has begun.
  ///
  /// - Returns: Whether there is a run to say it at the end of.
  @discardableResult
  package func say(_ exitHook: ExitHook) -> Bool {
    guard case .running(let driver) = whole.stage.withLock({ $0 }) else { return false }
    driver.add([exitHook])
    return true
  }
}
