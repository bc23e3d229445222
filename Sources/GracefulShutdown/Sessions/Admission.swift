/// Where a scoped session was let in: in the run of the phase that it asked, or in a later run.
@usableFromInline
struct Admission: Sendable {
  let phase: Phase
  let stripe: SessionStripe

  init(phase: Phase, stripe: SessionStripe) {
    self.phase = phase
    self.stripe = stripe
  }

  @usableFromInline
  func begin(_ name: String?) -> Session { Session(in: stripe, name: name) }

  @usableFromInline
  func place(openedFrom here: Place?) -> Place { .session(in: stripe, of: phase, openedFrom: here) }

  /// Decided by what we did, not by what was thrown: others throw a `CancellationError`, too.
  @usableFromInline
  func end(_ session: consuming Session, for error: any Error) {
    session.end(error is CancellationError && phase.gate.isCancelled ? .cancelled : .failed)
  }
}
