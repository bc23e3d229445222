import Synchronization

/// A stripe to begin and end sessions in.
///
/// Sendable: everything in it is atomic, under a mutex, or never changes. That it points to memory that is still there is
/// for its holder to know (``GateMemory`` says when it may be touched): a live session, or a reference to the gate.
package struct SessionStripe: @unchecked Sendable, Equatable {
  let pointer: UnsafeMutablePointer<StripeMemory>

  private var word: SessionWord { SessionWord(raw: pointer.pointee.word.load(ordering: .relaxed)) }

  // MARK: Coming in

  /// A read, and one compare-and-exchange that decides and counts.
  @inline(__always)
  func admit() -> Bool { changeAtOnce(\.admitting) }

  /// Sub-work: admitted, also when the gate is closed, as long as anything lives in this stripe.
  func admitInside() -> Bool { changeAtOnce(\.admittingInside) }

  /// A child phase, from outside or opened by something inside.
  ///
  /// - Parameter isInside: Then it is admitted as ``admitInside()`` is.
  func enter(isInside: Bool) -> Bool {
    change(isInside ? \.enteringInside : \.entering) { $0.children += 1 }
  }

  @inline(__always)
  private func changeAtOnce(_ step: (SessionWord) -> SessionWord?) -> Bool {
    var old = word
    while let new = step(old) {
      if old.isAboutToWrap { return change(step) }
      let (done, seen) = pointer.pointee.word.weakCompareExchange(
        expected: old.raw, desired: new.raw, successOrdering: .acquiring, failureOrdering: .relaxed)
      if done { return true }
      old = SessionWord(raw: seen)
    }
    return false
  }

  /// In step with the ledger, for what changes both: a reader of both under its lock sees both or neither.
  private func change(
    _ step: (SessionWord) -> SessionWord?, noting note: (inout StripeMemory.Ledger) -> Void = { _ in }
  ) -> Bool {
    pointer.pointee.ledger.withLock { ledger in
      var old = word
      while let new = step(old) {
        let (done, seen) = pointer.pointee.word.compareExchange(
          expected: old.raw, desired: new.raw, successOrdering: .acquiring, failureOrdering: .relaxed)
        if done {
          if new.admitted < old.admitted { ledger.wraps += 1 }
          note(&ledger)
          return true
        }
        old = SessionWord(raw: seen)
      }
      return false
    }
  }

  func refuse() { pointer.pointee.refused.wrappingAdd(1, ordering: .relaxed) }

  // MARK: Going out

  /// One atomic operation; after it the memory may be gone, unless this was the last of a closed stripe.
  @inline(__always)
  func end() {
    let old = pointer.pointee.word.wrappingSubtract(SessionWord.oneLive, ordering: .acquiringAndReleasing).oldValue
    if SessionWord(raw: old).endsTheLast { GateMemory.countDown(pointer.pointee.gate, by: 1) }
  }

  /// As ``end()``, and counts how, on that side of the closing on which it ends.
  func end(_ end: SessionEnd) {
    guard end != .well else { return self.end() }
    var old = word
    var countedClosed = old.isClosed
    pointer.pointee.count(end, 1, whileClosed: countedClosed)
    while true {
      if old.isClosed != countedClosed {
        // It was closed since: then it has been counted among those inside, and ends while draining.
        pointer.pointee.count(end, -1, whileClosed: countedClosed)
        countedClosed = old.isClosed
        pointer.pointee.count(end, 1, whileClosed: countedClosed)
      }
      let (done, seen) = pointer.pointee.word.compareExchange(
        expected: old.raw, desired: old.ending.raw, successOrdering: .acquiringAndReleasing, failureOrdering: .relaxed)
      if done { break }
      old = SessionWord(raw: seen)
    }
    if old.endsTheLast { GateMemory.countDown(pointer.pointee.gate, by: 1) }
  }

  /// The end of a child phase; its gate is held by the caller, because the lock is let go of after the word has changed.
  func leave() {
    let old = pointer.pointee.ledger.withLock { ledger in
      ledger.children -= 1
      return pointer.pointee.word.wrappingSubtract(SessionWord.oneLive, ordering: .acquiringAndReleasing).oldValue
    }
    if SessionWord(raw: old).endsTheLast { GateMemory.countDown(pointer.pointee.gate, by: 1) }
  }

  // MARK: Closing

  /// From here on nothing comes in from outside.
  func close() -> (isEmpty: Bool, admitted: UInt64, live: Int) {
    pointer.pointee.ledger.withLock { ledger in
      let raw = pointer.pointee.word.bitwiseOr(SessionWord.closedBit, ordering: .acquiringAndReleasing).oldValue
      let old = SessionWord(raw: raw)
      return (old.live == 0, ledger.wraps << 32 + old.admitted, old.live - ledger.children)
    }
  }

  // MARK: Named and cancellable

  /// Notes a session that has been admitted to this stripe.
  func note(name: String?) -> UInt32 {
    let now = pointer.pointee.gate.pointee.now()
    return pointer.pointee.ledger.withLock { $0.table.insert(name: name, since: now) }
  }

  /// Before its end.
  func forget(_ slot: UInt32) {
    // What comes back is let go of here, outside the lock.
    _ = pointer.pointee.ledger.withLock { $0.table.remove(slot) }
  }
}
