import Synchronization

/// Lets sessions and child phases in until it is closed, and calls back once when all of them have left.
///
/// Stripes spread over the cores, each one word: admission, refusal and count are one atomic operation, an end is one
/// more. Nothing is allocated before the first session comes, so that a phase without any costs nothing.
package final class SessionGate: Sendable {
  package typealias Instant = ContinuousClock.Instant

  private let now: @Sendable () -> Instant
  private let start: SessionWord
  /// Where the memory is; or that there is none yet, or will never be any.
  private let memory = Atomic<UInt>(SessionGate.none)
  private let isShut = Atomic(false)
  private let isCancelling = Atomic(false)
  /// What the gates counted that the phase had before it was started again.
  private let before: SessionCounts
  /// Refused by a gate that never had memory.
  private let refusedWithout = Atomic<UInt64>(0)

  private static let none: UInt = 0
  private static let closedWithout: UInt = 1
  /// Added to the address while nothing is let in: so that pausing costs an admission nothing.
  private static let pausedBit: UInt = 2

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
    guard let memory = present(memory.load(ordering: .acquiring)) else { return }
    if !isShut.load(ordering: .relaxed) { GateMemory.close(memory, whenEmpty: nil) }
    GateMemory.letGo(memory)
  }

  // MARK: Coming in

  /// A session from outside: one atomic operation.
  ///
  /// - Returns: Where to end it; `nil` when it is refused.
  @inline(__always)
  func begin() -> SessionStripe? {
    let address = memory.load(ordering: .acquiring)
    if address & Self.pausedBit == 0, let memory = present(address) {
      let stripe = GateMemory.stripe(Self.nearestStripe(), of: memory)
      if stripe.admit() { return stripe }
    }
    return beginSlowly()
  }

  /// The first session, one that finds its stripe full, or one that comes too late.
  @inline(never)
  private func beginSlowly() -> SessionStripe? {
    isPaused ? nil : beginWhilePaused()
  }

  /// A session, also while others are not let in.
  func beginWhilePaused() -> SessionStripe? {
    guard let memory = makeMemory() else { return nil }
    let nearest = Self.nearestStripe()
    for step in 0..<GateMemory.stripes {
      let stripe = GateMemory.stripe((nearest + step) % GateMemory.stripes, of: memory)
      if stripe.admit() { return stripe }
      if isClosed { return nil }
    }
    return nil
  }

  private var isPaused: Bool { memory.load(ordering: .relaxed) & Self.pausedBit != 0 }

  /// Counts one that is turned away, by whoever has tried everything.
  func refuse() {
    if let memory = present(memory.load(ordering: .acquiring)) {
      GateMemory.stripe(Self.nearestStripe(), of: memory).refuse()
    } else {
      refusedWithout.wrappingAdd(1, ordering: .relaxed)
    }
  }

  /// A child phase from outside: as a session, but not counted among them.
  ///
  /// - Returns: What to leave with, once; `nil` when it is refused.
  package func enter() -> SessionStripe? {
    isPaused ? nil : enterWhilePaused()
  }

  /// A child phase, also while others are not let in.
  func enterWhilePaused() -> SessionStripe? {
    guard let memory = makeMemory() else { return nil }
    let stripe = GateMemory.stripe(Self.nearestStripe(), of: memory)
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
    guard !isShut.exchange(true, ordering: .acquiringAndReleasing) else { return }
    // One that is paused is closed as well; who waits for the pause to end is refused then.
    resume()
    var seen = memory.load(ordering: .acquiring)
    // Again, when another thread brings memory, pauses or resumes between the look and the exchange.
    while seen & ~Self.pausedBit == Self.none {
      let (done, now) = memory.compareExchange(
        expected: seen, desired: Self.closedWithout, ordering: .acquiringAndReleasing)
      if done { return whenEmpty() }
      seen = now
    }
    guard let memory = present(seen) else { return whenEmpty() }
    GateMemory.close(memory, whenEmpty: whenEmpty)
  }

  // MARK: Restarting

  /// Lets nothing new in until ``resume()``; what is inside stays.
  package func pause() { memory.bitwiseOr(Self.pausedBit, ordering: .acquiringAndReleasing) }

  /// The end of ``pause()``.
  package func resume() { memory.bitwiseAnd(~Self.pausedBit, ordering: .acquiringAndReleasing) }

  // MARK: Cancelling

  /// Whether ``cancelAll()`` has been called.
  var isCancelled: Bool { isCancelling.load(ordering: .sequentiallyConsistent) }

  /// What cancels the sessions that can be: for the caller to call, where it may block, for it runs code of the user.
  ///
  /// Those that begin from here on are cancelled as they begin.
  package func cancelAll() -> [@Sendable () -> Void] {
    // In this order, and one that begins does it the other way round: then one of the two sees the other.
    isCancelling.store(true, ordering: .sequentiallyConsistent)
    guard let memory = present(memory.load(ordering: .sequentiallyConsistent)) else { return [] }
    return (0..<GateMemory.stripes).flatMap { index in
      GateMemory.stripe(index, of: memory).pointer.pointee.ledger.withLock { $0.table.cancels }
    }
  }

  /// Makes a session that has been noted one that can be cancelled.
  func attach(_ cancel: @escaping @Sendable () -> Void, to slot: UInt32, in stripe: SessionStripe) {
    stripe.pointer.pointee.ledger.withLock { $0.table.attach(cancel, to: slot) }
    // Either whoever cancels all finds it in the table, or it finds here that all are cancelled; twice is harmless.
    if isCancelled { cancel() }
  }

  // MARK: Looking in

  /// What has come and gone so far.
  package var counts: SessionCounts {
    var counts = before
    counts.refused += refusedWithout.load(ordering: .relaxed)
    guard let memory = present(memory.load(ordering: .acquiring)) else { return counts }
    // Read first: what was admitted until then is less than what has been admitted when it is counted below.
    let closed = GateMemory.closed(memory)
    for index in 0..<GateMemory.stripes { GateMemory.stripe(index, of: memory).pointer.pointee.add(to: &counts) }
    if let closed {
      counts.liveAtClose += closed.live
      counts.admittedWhileDraining += counts.admitted - before.admitted - closed.admitted
    }
    return counts
  }

  /// The named sessions that are inside, the oldest first, `limit` at most.
  package func named(limit: Int) -> [NamedSession] {
    var oldest: [NamedSession] = []
    guard limit > 0, let memory = present(memory.load(ordering: .acquiring)) else { return oldest }
    for index in 0..<GateMemory.stripes {
      GateMemory.stripe(index, of: memory).pointer.pointee.ledger.withLock { ledger in
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
    return oldest
  }

  // MARK: Memory

  @inline(__always)
  private func present(_ address: UInt) -> GateMemory.Pointer? {
    let address = address & ~Self.pausedBit
    return address > Self.closedWithout ? GateMemory.Pointer(bitPattern: address) : nil
  }

  /// - Returns: `nil` when the gate was closed before it had any.
  private func makeMemory() -> GateMemory.Pointer? {
    var seen = memory.load(ordering: .acquiring)
    if seen & ~Self.pausedBit != Self.none { return present(seen) }
    let made = GateMemory.allocate(now: now, startingAt: start)
    // Again, when another thread pauses or resumes between the look and the exchange: it stays as that says.
    while seen & ~Self.pausedBit == Self.none {
      let (isOurs, now) = memory.compareExchange(
        expected: seen, desired: UInt(bitPattern: made) | seen & Self.pausedBit, ordering: .sequentiallyConsistent)
      if isOurs { return made }
      seen = now
    }
    GateMemory.discard(made)
    return present(seen)
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
