internal import GracefulDescriptors
internal import Synchronization

/// A stop that is meant for the program, and not only for this generation of it.
extension Handover {
  /// Asks whether this process may stop for somebody who wants the program to stop, and not only this generation of it.
  ///
  /// - Parameter answer: `nil` when it may: from then on no handover begins any more. While one is going on, and after
  ///   it, the one to be stopped is the successor; then this is why. Called once, on the handover's thread or at once.
  package func refuseSuccessors(_ answer: @escaping @Sendable (_ reason: String?) -> Void) {
    // Under the lock: whoever leaves comes after this on the loop, which drops nothing that came before its end.
    let isAsked = state.withLock { state in
      guard !state.hasLeft else { return false }
      loop.execute { answer(self.stopUnlessTakenOver()) }
      return true
    }
    if !isAsked { answer(nil) }
  }

  /// Closes this process's copies of what was offered to successors, unless one is taking over, or has.
  ///
  /// From then on no handover begins any more. A copy of a listener keeps its queue open when the server has closed its
  /// own, and whoever connects in between would be lost when the copy is closed, too: so the copies go first.
  package func withdrawOffer() async {
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      // Under the lock: whoever leaves comes after this on the loop, which drops nothing that came before its end.
      let isAsked = state.withLock { state in
        guard !state.hasLeft else { return false }
        loop.execute {
          if self.stopUnlessTakenOver() == nil { self.state.withLock { $0.offered = [] } }
          done.resume()
        }
        return true
      }
      if !isAsked { done.resume() }
    }
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
    if let process = state.withLock({ $0.takenOverBy }) { return "process \(process) has taken over; ask it" }
    guard driver?.isHandingOver != true else { return "a handover is going on; ask again when it is over" }
    state.withLock { $0.isStopping = true }
    driver?.receive(.stopRequested)
    return nil
  }
}
