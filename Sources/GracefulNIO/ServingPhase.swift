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
  /// - Throws: An error when another process has ended the listening and it cannot be had again; ``/Graceful/CutShort`` when requests were in flight at the deadline and had to be cut; what
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
    let isLost = await drainRequestedOrLost(phase)
    let alone = await handover.withdrawOffer()
    await closeListener(mayBeShared: listener.map { !alone.contains($0) } ?? true)
    await handover.leave()
    let outcome = await drain(until: phase.deadline ?? .now)
    if isLost { throw ListenerLost(address: localAddress.map { "\($0)" } ?? "its address") }
    if outcome.cut > 0 { throw CutShort("\(outcome.cut) connections had a request in flight at the deadline") }
    return outcome
  }

  /// - Returns: Whether the listener was lost, and not the drain asked for.
  private func drainRequestedOrLost(_ phase: Phase) async -> Bool {
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        await phase.drainRequested()
        return false
      }
      group.addTask {
        await self.listenerIsLost()
        return true
      }
      let isLost = await group.next() ?? false
      group.cancelAll()
      return isLost
    }
  }
}

/// A server does not listen any more: another process that has its listener has ended it (shutdown(2)), and its address cannot
/// be had again.
struct ListenerLost: Error, CustomStringConvertible {
  let address: String

  var description: String {
    "the listener at \(address) was ended by another process that has it, and cannot listen there again"
  }
}
