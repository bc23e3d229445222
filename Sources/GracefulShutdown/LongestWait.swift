extension Duration {
  /// As good as for ever, and short enough that no sum of an instant and a few of them overflows: 100 years.
  package static var longest: Duration { .seconds(100 * 365 * 86_400) }

  /// Itself, or ``longest`` when it is longer than that.
  ///
  /// Every duration that a user gives goes through this where it comes in: `.seconds(Int64.max)` means "no limit" to many,
  /// and to add it to an instant twice, or to take it apart into seconds, must not trap.
  package var bounded: Duration { Swift.max(Swift.min(self, .longest), Duration.zero - .longest) }
}
