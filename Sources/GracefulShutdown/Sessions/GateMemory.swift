import Synchronization

/// The plain memory of a gate: what is common to its stripes, and the stripes.
///
/// It is memory of its own, not part of an object, because a session must not count references: the counter would be one
/// word for all cores (tried: 500 ns from two threads instead of 5).
///
/// Who frees it: it is held by the gate object and by "not yet closed and empty". The second that lets go frees it. A
/// session holds it by being live: between its admission and its end the stripe is not empty. After its end it touches
/// nothing, except when it was the last of a closed stripe: then it, and it alone, counts the stripe down, and the memory
/// cannot go before it has.
struct GateMemory: ~Copyable {
  /// For sessions.
  static let stripes = 64
  /// Two lines of cache: processors fetch lines in pairs.
  private static let stride = 128

  /// Stripes that are not closed and empty yet, and one for the call that closes, so that it cannot reach zero meanwhile.
  private let remaining: Atomic<Int>
  private let holders = Atomic(2)
  private let whenEmpty = Mutex<(@Sendable () -> Void)?>(nil)
  private let closed = Mutex<(admitted: UInt64, live: Int)?>(nil)
  let now: @Sendable () -> ContinuousClock.Instant
  private let count: Int

  private init(stripes: Int, now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.now = now
    count = stripes
    remaining = Atomic(stripes + 1)
  }

  typealias Pointer = UnsafeMutablePointer<GateMemory>

  static func allocate(
    stripes: Int, now: @escaping @Sendable () -> ContinuousClock.Instant, startingAt word: SessionWord
  ) -> Pointer {
    let raw = UnsafeMutableRawPointer.allocate(byteCount: (stripes + 1) * stride, alignment: stride)
    let memory = raw.bindMemory(to: GateMemory.self, capacity: 1)
    memory.initialize(to: GateMemory(stripes: stripes, now: now))
    for index in 0..<stripes {
      let place = raw + (index + 1) * stride
      place.bindMemory(to: StripeMemory.self, capacity: 1).initialize(to: StripeMemory(gate: memory, startingAt: word))
    }
    return memory
  }

  /// For memory that no other thread has seen.
  static func discard(_ memory: Pointer) {
    forEachStripe(of: memory) { $0.pointer.deinitialize(count: 1) }
    memory.deinitialize(count: 1)
    UnsafeMutableRawPointer(memory).deallocate()
  }

  static func stripe(_ index: Int, of memory: Pointer) -> SessionStripe {
    let place = UnsafeMutableRawPointer(memory) + (index + 1) * stride
    return SessionStripe(pointer: place.assumingMemoryBound(to: StripeMemory.self))
  }

  static func forEachStripe(of memory: Pointer, _ body: (SessionStripe) -> Void) {
    for index in 0..<memory.pointee.count { body(stripe(index, of: memory)) }
  }

  /// Once, by the call that won the right to close.
  ///
  /// - Returns: Whether the gate was empty; then `whenEmpty` is not called.
  static func close(_ memory: Pointer, else whenEmpty: (@Sendable () -> Void)?) -> Bool {
    memory.pointee.whenEmpty.withLock { $0 = whenEmpty }
    var empty = 0
    var sum: (admitted: UInt64, live: Int) = (0, 0)
    forEachStripe(of: memory) { stripe in
      let found = stripe.close()
      if found.isEmpty { empty += 1 }
      sum.admitted += found.admitted
      sum.live += found.live
    }
    memory.pointee.closed.withLock { $0 = sum }
    return emptied(memory, by: empty + 1) != nil
  }

  /// What had been admitted and what was inside when it was closed; `nil` before.
  static func closed(_ memory: Pointer) -> (admitted: UInt64, live: Int)? { memory.pointee.closed.withLock { $0 } }

  static func countDown(_ memory: Pointer, by count: Int) { emptied(memory, by: count)?.tell?() }

  /// That the gate is empty, and the callback for that.
  private struct Emptied {
    let tell: (@Sendable () -> Void)?
  }

  private static func emptied(_ memory: Pointer, by count: Int) -> Emptied? {
    // Released by everyone, acquired by the last: what the sessions did happens before what is done when all are gone.
    guard memory.pointee.remaining.wrappingSubtract(count, ordering: .acquiringAndReleasing).newValue == 0 else {
      return nil
    }
    let whenEmpty = memory.pointee.whenEmpty.withLock { whenEmpty in
      defer { whenEmpty = nil }
      return whenEmpty
    }
    letGo(memory)
    return Emptied(tell: whenEmpty)
  }

  static func letGo(_ memory: Pointer) {
    if memory.pointee.holders.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { discard(memory) }
  }
}
