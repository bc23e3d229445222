package import GracefulDescriptors
internal import Synchronization

/// A stop that is meant for the program, and not only for this generation of it.
extension Handover {
  /// Asks whether this process may stop for a caller that wants the program to stop, and not only this generation of it.
  ///
  /// - Parameter answer: `nil` when it may: from then on no handover begins any more. Before this process serves, while a
  ///   handover is going on, and after it, the one to be stopped is another one; then this is why. Called once, on the
  ///   handover's thread or at once.
  package func refuseSuccessors(_ answer: @escaping @Sendable (_ reason: String?) -> Void) {
    // Under the lock: an end comes after this on the loop, which drops nothing that came before its end. A process that has
    // left while a handover was going on, goes on with that.
    let isAsked = state.withLock { state in
      guard !state.hasLeft || state.driver != nil else { return false }
      loop.execute { answer(self.stopUnlessTakenOver()) }
      return true
    }
    if !isAsked { answer(reasonNotToStop) }
  }

  /// Why the process to be stopped is another one at this moment; a look that changes nothing, from any thread.
  package var reasonNotToStop: String? {
    let (successor, isOwner, driver) = state.withLock { ($0.takenOverBy, $0.isOwner, $0.driver) }
    if let successor { return "process \(successor) has taken over; ask it" }
    if let predecessor, !isOwner { return "process \(predecessor) serves, and not this one yet; ask it" }
    return driver?.isHandingOver == true ? "a handover is going on; ask again when it is over" : nil
  }

  /// Closes this process's copies of what was offered to successors, unless one is taking over, or has.
  ///
  /// From then on no handover begins any more. A copy of a listener keeps its queue open when the server has closed its
  /// own, and a client that connects in between would be lost when the copy is closed, too: so the copies go first.
  /// - Returns: The sockets among them at which no other process can accept: nothing was ever sent to a successor, and the
  ///   predecessor, if there was one, has ended. An earlier generation may have a copy still, and so may a successor of the
  ///   predecessor's that failed: they have let go, or were never let in.
  package func withdrawOffer() async -> Set<FileStatus.Identity> {
    await withCheckedContinuation { (done: CheckedContinuation<Set<FileStatus.Identity>, Never>) in
      // Under the lock: a leave comes after this on the loop, which drops nothing that came before its end.
      let isAsked = state.withLock { state in
        guard !state.hasLeft else { return false }
        loop.execute {
          guard self.stopUnlessTakenOver() == nil else { return done.resume(returning: []) }
          let (offered, isAlone) = self.state.withLock { state in
            defer { state.offered = [] }
            return (state.offered, !state.hasMadeOffer && (self.predecessor == nil || state.predecessorHasEnded))
          }
          done.resume(returning: isAlone ? self.identities(of: offered) : [])
        }
        return true
      }
      if !isAsked { done.resume(returning: []) }
    }
  }

  private func identities(of offered: [NamedDescriptor]) -> Set<FileStatus.Identity> {
    Set(offered.compactMap { try? configuration.calls.descriptorStatus($0.descriptor.number).get().identity })
  }

  /// Ends what ``leave()`` has left: the socket, where it stayed for control.
  ///
  /// The process is about to exit. While a successor is taking over, or has, nothing is done: the path is the successor's.
  /// - Parameter done: Called once, on any thread, when the path is gone.
  package func letGo(_ done: @escaping @Sendable () -> Void = {}) {
    let isAsked = state.withLock { state in
      guard state.hasLeft, state.driver != nil else { return false }
      loop.execute {
        self.letGoNow()
        done()
      }
      return true
    }
    if !isAsked { done() }
  }

  private func stopUnlessTakenOver() -> String? {
    if let reason = reasonNotToStop { return reason }
    state.withLock { $0.isStopping = true }
    driver?.receive(.stopRequested)
    return nil
  }
}
