/// What a draining server tells each of its connections, as an inbound user event on the connection's own event loop.
///
/// The HTTP/1 handlers of this module act on it. A protocol of one's own can listen for it too.
public enum DrainSignal: Equatable, Sendable {
  /// The server drains: finish what is there, announce the end where the protocol can.
  case drain
  /// The limit is near: a connection on which nothing is in flight is closed now.
  case closeIdle
  /// The limit is reached: a connection that is still open afterwards is closed by the server.
  case cut
}
