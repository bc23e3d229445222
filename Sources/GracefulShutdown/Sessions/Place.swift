/// Where a task is: in which phase, and in which of its sessions.
///
/// Bound to the task, and inherited by what it starts: a `Task {}` keeps it when the session is long over. Such a stale
/// place still names its phase. Once the gate is closed it opens nothing by itself; but the gate counts how many are inside
/// a stripe, not who, so as long as anything else is in the stripe of the session that is over, a stale place is let in
/// beside it. That loses nothing: what is let in is waited for, and a closed stripe that is empty admits nothing again.
@usableFromInline
package struct Place: Sendable {
  @usableFromInline package let phase: Phase
  /// Where the enclosing session, or the child phase that is the way into this phase, is counted; `nil` in a body.
  let stripe: SessionStripe?
  private let outer: Outer?

  private final class Outer: Sendable {
    let place: Place

    init(_ place: Place) { self.place = place }
  }

  private init(phase: Phase, stripe: SessionStripe?, outer: Outer?) {
    self.phase = phase
    self.stripe = stripe
    self.outer = outer
  }

  /// The body of a phase.
  ///
  /// - Parameter outer: For a child phase: the place in its parent, as ``Phase/enter()`` returned it.
  package init(body phase: Phase, within outer: Place? = nil) {
    self.init(phase: phase, stripe: nil, outer: outer.map(Outer.init))
  }

  /// A session, opened from this place: what it is inside of, it stays inside of.
  static func session(in stripe: SessionStripe, of phase: Phase, openedFrom place: Place?) -> Place {
    guard let place else { return Place(phase: phase, stripe: stripe, outer: nil) }
    // Within the same phase nothing is added to the way out, and nothing allocated.
    return Place(phase: phase, stripe: stripe, outer: place.phase === phase ? place.outer : Outer(place))
  }

  /// Whether this is the body of a phase, and no session of it.
  func isBody(of other: Phase) -> Bool { phase === other && stripe == nil }

  /// Lets in what is opened from inside this phase, and from here.
  func open(_ phase: Phase, _ admit: (SessionStripe) -> Bool) -> SessionStripe? {
    var place: Place? = self
    while let here = place {
      if here.phase.gate === phase.gate, let stripe = here.stripe, admit(stripe) { return stripe }
      place = here.outer?.place
    }
    return nil
  }

  /// The innermost phase of this lifecycle that the task is in, and that has not ended.
  func phase(of driver: LifecycleDriver) -> Phase? {
    var place: Place? = self
    while let here = place {
      if here.phase.link.driver === driver, !here.phase.moments.hasClosed { return here.phase }
      place = here.outer?.place
    }
    return nil
  }
}

extension Phase {
  /// What a task is bound to, and passes on to the tasks that it starts.
  ///
  /// Not `@TaskLocal`: what that declares cannot be used by code that is inlined into a caller's.
  @usableFromInline static let placeInTask = TaskLocal<Place?>(wrappedValue: nil)

  /// Where the current task is.
  @usableFromInline package static var place: Place? { placeInTask.get() }

  /// Runs `body` at a place.
  package static func at<Result>(
    _ place: Place, isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Result
  ) async rethrows -> Result {
    try await placeInTask.withValue(place, operation: body)
  }

  /// Counts a child phase in, from where the current task is.
  ///
  /// - Returns: Its place in this phase, to open the child's body within and to leave by; `nil` when it is refused.
  package func enter() -> Place? {
    let here = Phase.place
    guard
      let stripe = gate.enter() ?? here?.open(self, { $0.enter(isInside: true) })
        ?? (isComingBack ? gate.enterWhilePaused() : nil)
    else { return nil }
    return .session(in: stripe, of: self, openedFrom: here)
  }

  /// The end of a child phase.
  ///
  /// - Parameter place: As ``enter()`` returned it; once.
  package func leave(_ place: Place) {
    if let stripe = place.stripe { gate.leave(stripe) }
  }
}
