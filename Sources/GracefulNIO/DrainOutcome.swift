/// How the connections ended that a server had when its drain began or that it accepted last.
public struct DrainOutcome: Equatable, Sendable {
  /// Closed by their clients, or by the server after the answer that announced it.
  public var finished: Int
  /// Closed near the limit while no request was in flight on them; this is clean.
  public var closedIdle: Int
  /// A request was in flight at the limit.
  public var cut: Int
  /// Ended by the client or the network while a request was in flight.
  public var broken: Int

  /// Nothing, unless said otherwise.
  public init(finished: Int = 0, closedIdle: Int = 0, cut: Int = 0, broken: Int = 0) {
    self.finished = finished
    self.closedIdle = closedIdle
    self.cut = cut
    self.broken = broken
  }

  mutating func count(_ ending: ConnectionEnding) {
    switch ending {
    case .finished: finished += 1
    case .closedIdle: closedIdle += 1
    case .cut: cut += 1
    case .broken: broken += 1
    }
  }
}
