/// What a plan says of one phase.
///
/// Its times are those of the worst case (``StopPlan/worstCase``), counted from the request to stop; they are `nil` when
/// the configuration is wrong.
public struct PhasePlan: Hashable, Sendable {
  /// Its name.
  public var name: String
  /// The phases that it requires, by name, in the order in which they were declared.
  public var requires: [String]
  /// How long it may take until it is ready.
  ///
  /// `nil`: for ever.
  public var startLimit: Duration?
  /// How long it may drain.
  ///
  /// `nil`: for as long as the grace leaves.
  public var limit: Duration?
  /// The phase that holds the lifecycle that this one is part of.
  public var within: String?
  /// Of a phase that holds a lifecycle: how long that may take to stop.
  public var nestedGrace: Duration?
  /// In which wave it starts, from 1 on.
  public var startWave: Int?
  /// In which wave it drains, from 1 on.
  public var stopWave: Int?
  /// When it is told to drain.
  public var drainsAfter: Duration?
  /// How much time it has to drain, before what is inside it is cancelled, then it itself.
  ///
  /// Less than its limit when those before it have used up the rest.
  public var drainsFor: Duration?
  /// When it has ended or been abandoned.
  public var endsAfter: Duration?

  init(_ node: PhaseGraph.Node) {
    name = node.name
    requires = []
    startLimit = node.startLimit
    limit = node.limit
    nestedGrace = node.nestedGrace
  }

  /// How long it takes, from when it is told to drain to its end.
  public var takes: Duration? {
    guard let drainsAfter, let endsAfter else { return nil }
    return endsAfter - drainsAfter
  }

  /// Whether it has less time to drain than its limit says; or, without a limit, none at all.
  public var isShort: Bool {
    guard nestedGrace == nil, let drainsFor else { return false }
    return limit.map { drainsFor < $0 } ?? (drainsFor <= .zero)
  }
}
