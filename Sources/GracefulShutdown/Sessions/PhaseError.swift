/// Why something could not be opened in a phase, and what to do.
public struct PhaseError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of a failure.
  ///
  /// New kinds may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String { case refused, outsideAnyPhase }
    private let kind: Kind
    /// The phase takes nothing new: it drains, or has ended.
    public static var refused: Code { Code(kind: .refused) }
    /// The task is in no phase, and none was named.
    public static var outsideAnyPhase: Code { Code(kind: .outsideAnyPhase) }

    /// Its name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// What was to be opened: `session "POST /orders"`.
  public var tried: String
  /// The phase that it was tried on; empty outside any.
  public var phase: String
  /// Why not.
  public var reason: String
  /// What the caller can do.
  public var advice: String

  package init(_ code: Code, tried: String, phase: String, reason: String, advice: String) {
    self.code = code
    self.tried = tried
    self.phase = phase
    self.reason = reason
    self.advice = advice
  }

  /// One sentence.
  public var description: String {
    phase.isEmpty ? "\(tried): \(reason); \(advice)" : "\(tried) on phase \"\(phase)\": \(reason); \(advice)"
  }
}

extension PhaseError {
  static func refused(_ tried: String, by phase: String) -> PhaseError {
    // Whole literals: a server that drains may refuse often, and this then allocates nothing.
    PhaseError(
      .refused, tried: tried, phase: phase, reason: "refused, the phase drains or has ended and takes nothing new",
      advice: """
        tell the client to go elsewhere (HTTP: 503 with Connection: close); work for a session that is still inside is \
        opened from its task, or by its beginSession()
        """)
  }

  static func outsideAnyPhase(_ tried: String) -> PhaseError {
    PhaseError(
      .outsideAnyPhase, tried: tried, phase: "", reason: "this task is in no phase",
      advice:
        "call it on the phase itself; a detached task, a dispatch queue and an event loop do not inherit the phase")
  }

  @usableFromInline
  static func outsideAnyPhase(session name: String?) -> PhaseError { outsideAnyPhase(session(name)) }

  static func session(_ name: String?) -> String { name.map { "session \"\($0)\"" } ?? "a session" }
}
