/// How a connection of a draining server ended.
enum ConnectionEnding: Equatable, Sendable {
  /// Every request that it sent was answered, and it was closed by its client, or by the server with notice.
  case finished
  /// No request was in flight when the limit came; it was closed then.
  case closedIdle
  /// A request was in flight when the limit came.
  case cut
  /// The client or the network ended it while a request was in flight, or the answer could not be completed.
  case broken
}
