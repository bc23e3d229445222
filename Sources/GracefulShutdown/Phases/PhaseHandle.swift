/// A phase of a lifecycle, as another phase requires it: what `phase(…)` returned, or a name.
public struct PhaseHandle: Hashable, Sendable, ExpressibleByStringLiteral {
  /// The name of the phase.
  public let name: String

  /// The phase of this name, which may be declared later.
  public init(_ name: String) { self.name = name }

  /// The phase of this name, which may be declared later.
  public init(stringLiteral name: String) { self.name = name }
}

/// What a phase requires: another phase, its name, or an array of these.
///
/// ```swift
/// shop.phase("web", requires: database) { phase in … }
/// shop.phase("web", requires: [database, queue]) { phase in … }
/// shop.phase("web", requires: "database") { phase in … }
/// ```
///
/// ``PhaseRequirement/nothing`` and an empty `[PhaseHandle]` require nothing. A phase that is named twice is required once.
public protocol PhaseRequirement {
  /// The phases that are required, in the order in which they are written.
  var requiredPhases: [PhaseHandle] { get }
}

extension PhaseHandle: PhaseRequirement {
  /// This phase.
  public var requiredPhases: [PhaseHandle] { [self] }
}

extension String: PhaseRequirement {
  /// The phase of this name, which may be declared later.
  public var requiredPhases: [PhaseHandle] { [PhaseHandle(self)] }
}

extension Array: PhaseRequirement where Element: PhaseRequirement {
  /// All that the elements require.
  public var requiredPhases: [PhaseHandle] { flatMap(\.requiredPhases) }
}

extension PhaseRequirement where Self == [PhaseHandle] {
  /// No phase, which is the default: the phase starts at once.
  public static var nothing: Self { [] }
}
