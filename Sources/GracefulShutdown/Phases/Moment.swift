extension Phase {
  /// What a phase is told on its way to its end, in this order.
  ///
  /// Each includes those before it. More may come, so it is compared, not switched over.
  public struct Moment: Hashable, Comparable, Sendable, CustomStringConvertible {
    let rung: Int

    /// A stop was asked for.
    ///
    /// All phases, their children and their sessions hear it at once, long before the turn of most. Take nothing new from
    /// others if that can be chosen, but keep serving those that require this phase.
    public static var stopRequested: Self { Self(rung: 0) }
    /// All that require this phase have ended, and nothing new is admitted to it any more.
    ///
    /// Stop accepting, and finish what is inside.
    public static var drain: Self { Self(rung: 1) }
    /// The sessions and child phases in it have ended as well, or their time is over: clean up.
    ///
    /// In a phase without sessions and children this comes together with ``drain``.
    public static var turn: Self { Self(rung: 2) }
    /// The time to stop is over: the task is cancelled.
    public static var cancelled: Self { Self(rung: 3) }

    /// Whether it comes before another one.
    public static func < (one: Self, other: Self) -> Bool { one.rung < other.rung }

    /// `stop requested`, `drain`, `turn` or `cancelled`.
    public var description: String {
      switch rung {
      case 0: "stop requested"
      case 1: "drain"
      case 2: "turn"
      default: "cancelled"
      }
    }
  }
}
