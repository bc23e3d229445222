public import Graceful

extension DrainingServer {
  /// The whole life of a server as a phase, in the one order that loses nothing.
  ///
  /// It waits until the predecessor has let go and accepts, says that the phase is ready, serves until it is told to
  /// drain (or a successor has taken over), accepts who waits to be, closes the listener, leaves the handover, so that
  /// a phase that is started from here on need not wait for the rest, and drains until the phase's deadline.
  /// - Parameters:
  ///   - phase: its limit, clipped to the lifecycle's grace, is the time for the drain.
  ///   - handover: where the listener came from. On Linux no connection begins any more while a listener is closed that
  ///     the handover has not offered: a process that accepts at a duplicate of it elsewhere closes that first.
  ///   - serving: called once when the first connection may be accepted.
  /// - Returns: how the connections ended.
  /// - Throws: ``/Graceful/CutShort`` when requests were in flight at the deadline and had to be cut; what
  ///   ``/Graceful/Phase/takeOver(_:accepting:)`` throws, and what `serving` throws. The listener is closed then, too.
  @discardableResult
  public func serve(
    in phase: Phase, after handover: Handover, serving: () async throws -> Void = {}
  ) async throws -> DrainOutcome {
    do {
      // A lame-duck time goes on for as long as new connections come.
      phase.countArrivals { [weak self] in self?.accepted ?? 0 }
      try await phase.takeOver(handover, accepting: acceptor)
      phase.ready()
      try await serving()
    } catch {
      await closeListener()
      throw error
    }
    await phase.drainRequested()
    let alone = await handover.withdrawOffer()
    await closeListener(mayBeShared: listener.map { !alone.contains($0) } ?? true)
    await handover.leave()
    let outcome = await drain(until: phase.deadline ?? .now)
    if outcome.cut > 0 { throw CutShort("\(outcome.cut) connections had a request in flight at the deadline") }
    return outcome
  }
}
