import Synchronization

/// Lets sessions and child phases in until it is closed, and calls back once when all of them have left.
///
/// Stripes spread over the cores, each one word: admission, refusal and count are one atomic operation, an end is one
/// more. Nothing is allocated before the first session comes, so that a phase without any costs nothing.
package final class SessionGate: Sendable {
  package typealias Instant = ContinuousClock.Instant

  private let now: @Sendable () -> Instant
  private let start: SessionWord
  private let sessions = GateSlot()
  /// One stripe for the child phases from outside: most phases that have children have no sessions, and many of them
  /// have one child.
  private let children = GateSlot()
  private let isShut = Atomic(false)
  private let isCancelling = Atomic(false)
  /// What the gates counted that the phase had before it was started again.
  private let before: SessionCounts
  /// Refused by a gate that never had memory.
  private let refusedWithout = Atomic<UInt64>(0)

  /// Makes an open one.
  ///
  /// - Parameters:
  ///   - now: Called for sessions that have a name or can be cancelled, and for no others.
  ///   - word: What each stripe begins with: so that a test finds a count that is about to wrap, or a stripe that is full.
  ///   - before: Counted already.
  package init(
    now: @escaping @Sendable () -> Instant, startingAt word: SessionWord = SessionWord(),
    countingFrom before: SessionCounts = SessionCounts()
  ) {
    self.now = now
    self.before = before
    start = word
  }

  deinit {
    // Sessions may outlive it: then the last one frees the memory.
    forEachMemory { memory in
      if !isShut.load(ordering: .relaxed) { _ = GateMemory.close(memory, else: nil) }
      GateMemory.letGo(memory)
    }
  }

  // MARK: Coming in

  /// A session from outside: one atomic operation.
  ///
  /// - Returns: Where to end it; `nil` when it is refused.
  @inline(__always)
  func begin() -> SessionStripe? {
    if let memory = sessions.admitting {
      let stripe = GateMemory.stripe(Self.nearestStripe(), of: memory)
      if stripe.admit() { return stripe }
    }
    return beginSlowly()
  }

  /// A session that is the first, finds its stripe full, or comes too late.
  @inline(never)
  private func beginSlowly() -> SessionStripe? {
    sessions.isPaused ? nil : beginWhilePaused()
  }

  /// A session, also while others are not let in.
  func beginWhilePaused() -> SessionStripe? {
    guard let memory = sessions.make(stripes: GateMemory.stripes, now: now, startingAt: start) else { return nil }
    let nearest = Self.nearestStripe()
    for step in 0..<GateMemory.stripes {
      let stripe = GateMemory.stripe((nearest + step) % GateMemory.stripes, of: memory)
      if stripe.admit() { return stripe }
      if isClosed { return nil }
    }
    return nil
  }

  /// Counts a session that is turned away, after everything was tried.
  func refuse() {
    if let memory = sessions.present {
      GateMemory.stripe(Self.nearestStripe(), of: memory).refuse()
    } else {
      refusedWithout.wrappingAdd(1, ordering: .relaxed)
    }
  }

  /// A child phase from outside: as a session, but not counted among them.
  ///
  /// - Returns: What to leave with, once; `nil` when it is refused.
  package func enter() -> SessionStripe? {
    sessions.isPaused ? nil : enterWhilePaused()
  }

  /// A child phase, also while others are not let in.
  func enterWhilePaused() -> SessionStripe? {
    guard let memory = children.make(stripes: 1, now: now, startingAt: start) else { return nil }
    let stripe = GateMemory.stripe(0, of: memory)
    return stripe.enter(isInside: false) ? stripe : nil
  }

  /// The end of a child phase.
  package func leave(_ stripe: SessionStripe) { stripe.leave() }

  // MARK: Closing

  /// Whether nothing more is let in from outside.
  package var isClosed: Bool { isShut.load(ordering: .relaxed) }

  /// Lets nothing more in from outside; what is inside may still open sub-work.
  ///
  /// Only the first call counts; a later one does nothing, and its `whenEmpty` is never called.
  ///
  /// - Parameter whenEmpty: Called once, when nothing is inside any more: here and now when nothing was, else by the thread
  ///   that ends the last one, outside any lock. It must not wait.
  package func close(whenEmpty: @escaping @Sendable () -> Void) {
    if closeNow(else: whenEmpty) { whenEmpty() }
  }

  /// As ``close(whenEmpty:)``, but when nothing is inside, it says so instead of calling back.
  ///
  /// - Returns: Whether nothing was inside; `false` also for a later call.
  package func closeNow(else whenEmpty: @escaping @Sendable () -> Void) -> Bool {
    guard !isShut.exchange(true, ordering: .acquiringAndReleasing) else { return false }
    // A gate that is paused is closed as well; a session that waits for the pause to end is refused then.
    resume()
    switch (sessions.shut(), children.shut()) {
    case (nil, nil): return true
    case (let memory?, nil), (nil, let memory?): return GateMemory.close(memory, else: whenEmpty)
    case (let sessions?, let children?):
      let both = Both()
      let each: @Sendable () -> Void = { if both.countsDown() { whenEmpty() } }
      // Whichever of them counts down last, here or there, finds that both are empty; the other one does not.
      let hadNoSession = GateMemory.close(sessions, else: each) && both.countsDown()
      let hadNoChild = GateMemory.close(children, else: each) && both.countsDown()
      return hadNoSession || hadNoChild
    }
  }

  private final class Both: Sendable {
    private let left = Atomic(2)

    /// What was done in one happens before what is done when both are empty.
    func countsDown() -> Bool { left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 }
  }

  // MARK: Restarting

  /// Lets nothing new in until ``resume()``; what is inside stays.
  package func pause() { sessions.pause() }

  /// The end of ``pause()``.
  package func resume() { sessions.resume() }

  // MARK: Cancelling

  /// Whether ``cancelAll()`` has been called.
  var isCancelled: Bool { isCancelling.load(ordering: .sequentiallyConsistent) }

  /// What cancels the sessions that can be: for the caller to call, where it may block, for it runs code of the user.
  ///
  /// Those that begin from here on are cancelled as they begin.
  package func cancelAll() -> [@Sendable () -> Void] {
    // In this order, and a session that begins does it the other way round: then one of the two sees the other.
    isCancelling.store(true, ordering: .sequentiallyConsistent)
    var cancels: [@Sendable () -> Void] = []
    forEachMemory { memory in
      GateMemory.forEachStripe(of: memory) { stripe in
        cancels += stripe.pointer.pointee.ledger.withLock { $0.table.cancels }
      }
    }
    return cancels
  }

  /// Lets a session that has been noted be cancelled.
  func attach(_ cancel: @escaping @Sendable () -> Void, to slot: UInt32, in stripe: SessionStripe) {
    stripe.pointer.pointee.ledger.withLock { $0.table.attach(cancel, to: slot) }
    // Either the call that cancels all finds it in the table, or it finds here that all are cancelled; twice is harmless.
    if isCancelled { cancel() }
  }

  // MARK: Looking in

  /// What has come and gone so far.
  package var counts: SessionCounts {
    var counts = before
    counts.refused += refusedWithout.load(ordering: .relaxed)
    forEachMemory { memory in
      let earlier = counts.admitted
      // Read first: what was admitted until then is less than what has been admitted when it is counted below.
      let closed = GateMemory.closed(memory)
      GateMemory.forEachStripe(of: memory) { $0.pointer.pointee.add(to: &counts) }
      if let closed {
        counts.liveAtClose += closed.live
        counts.admittedWhileDraining += counts.admitted - earlier - closed.admitted
      }
    }
    return counts
  }

  /// The named sessions that are inside, the oldest first, `limit` at most.
  package func named(limit: Int) -> [NamedSession] {
    var oldest: [NamedSession] = []
    guard limit > 0 else { return oldest }
    forEachMemory { memory in
      GateMemory.forEachStripe(of: memory) { stripe in
        stripe.pointer.pointee.ledger.withLock { ledger in
          ledger.table.forEachNamed { name, since in
            if oldest.count == limit {
              guard let youngest = oldest.last, since < youngest.since else { return }
              oldest.removeLast()
            }
            let place = oldest.firstIndex { since < $0.since } ?? oldest.count
            oldest.insert(NamedSession(name: name, since: since), at: place)
          }
        }
      }
    }
    return oldest
  }

  // MARK: Memory

  private func forEachMemory(_ body: (GateMemory.Pointer) -> Void) {
    if let memory = sessions.present { body(memory) }
    if let memory = children.present { body(memory) }
  }

  /// By the stack that the caller is on: no call into libc, and threads have their stacks far apart.
  @inline(__always)
  private static func nearestStripe() -> Int {
    var here: UInt8 = 0
    let address = withUnsafeMutablePointer(to: &here) { UInt64(UInt(bitPattern: $0)) }
    // Fibonacci hashing: the upper six bits of a product with 2^64 divided by the golden ratio.
    return Int(truncatingIfNeeded: ((address >> 16) &* 0x9E37_79B9_7F4A_7C15) >> 58)
  }
}
