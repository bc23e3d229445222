/// Thrown by the body of a phase that had to end work when its deadline came, although it comes back in good order.
///
/// The phase then counts as cancelled, the report says what was cut, and the exit code is 124: work was lost, and a
/// clean exit would hide it. Thrown before a stop is asked for, it is a failure like any other error.
public struct CutShort: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was cut, for the report: "2 requests in flight".
  public var reason: String

  /// Makes an error.
  public init(_ reason: String) { self.reason = reason }

  /// What was cut.
  public var description: String { reason }
}
