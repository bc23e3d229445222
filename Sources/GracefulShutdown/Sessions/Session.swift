/// One piece of work inside a phase that the phase waits for before it cleans up: a request, a connection, a job.
///
/// ```swift
/// let session = try phase.beginSession()   // refused once the phase drains
/// …
/// session.end()
/// ```
///
/// It ends exactly once: `end()` consumes it, so that to end it twice does not compile, and a session that goes out of scope
/// without it ends there. It may end on another thread than it began on.
///
/// To begin and to end are one atomic operation each, without locks, logs or reference counts, the same with a million
/// sessions live. A name costs a lock and a look at the clock more, and buys a line among the stragglers.
///
/// Where a closure must be able to escape with it (the promise of an event loop), use ``shared()``.
public struct Session: ~Copyable, Sendable {
  let stripe: SessionStripe
  /// Where it is noted, when it has a name or can be cancelled.
  let slot: UInt32

  init(in stripe: SessionStripe, slot: UInt32 = SessionTable.none) {
    self.stripe = stripe
    self.slot = slot
  }

  init(in stripe: SessionStripe, name: String?) {
    self.init(in: stripe, slot: name == nil ? SessionTable.none : stripe.note(name: name))
  }

  /// A session that is dropped ends well: it is not known that it failed.
  deinit { Self.end(stripe, slot, .well) }

  /// Ends it.
  ///
  /// The last session of a phase that drains gives the phase its turn from here; nothing here waits for that.
  public consuming func end() {
    Self.end(stripe, slot, .well)
    discard self
  }

  /// Ends it, and counts it as failed in the report.
  public consuming func fail() {
    Self.end(stripe, slot, .failed)
    discard self
  }

  /// Opens a session inside this one.
  ///
  /// It is never refused, also when the phase drains already: what is inside may finish what it began (S6).
  ///
  /// - Parameter name: For the stragglers in the report; without one it is only counted.
  public borrowing func beginSession(_ name: String? = nil) -> Session {
    // This one is live in the stripe, so there is no refusal: the only bound is 2^31 live in one stripe.
    _ = stripe.admitInside()
    return Session(in: stripe, name: name)
  }

  /// This session as an object, for closures that may run late, never, or twice.
  public consuming func shared() -> SharedSession {
    let shared = SharedSession(stripe, slot)
    discard self
    return shared
  }

  consuming func end(_ end: SessionEnd) {
    Self.end(stripe, slot, end)
    discard self
  }

  @inline(__always)
  static func end(_ stripe: SessionStripe, _ slot: UInt32, _ end: SessionEnd) {
    // Before its end: afterwards the memory may be gone.
    if slot != SessionTable.none { stripe.forget(slot) }
    if end == .well { stripe.end() } else { stripe.end(end) }
  }
}
