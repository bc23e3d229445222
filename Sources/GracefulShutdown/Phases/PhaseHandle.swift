/// A phase of a lifecycle, as another phase requires it: what `phase(…)` returned, or a name.
public struct PhaseHandle: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The name of the phase.
  public let name: String

  /// The phase of this name, which may be declared later.
  public init(_ name: String) { self.name = name }

  /// The phase of this name, which may be declared later.
  public init(stringLiteral name: String) { self.name = name }
}
