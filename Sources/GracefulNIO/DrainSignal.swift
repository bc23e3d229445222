/// What a draining server tells each of its connections, as an inbound user event on the connection's own event loop.
///
/// The HTTP/1 handlers of this module act on it. A protocol of your own can listen for it too. More signals may come,
/// so it is compared, not switched over.
public struct DrainSignal: Hashable, Sendable, CustomStringConvertible {
  enum Kind: String, Hashable, Sendable {
    case drain
    case closeIdle
    case cut
  }

  let kind: Kind

  /// The server drains: finish what is there, announce the end where the protocol can.
  public static var drain: Self { Self(kind: .drain) }
  /// The limit is near: a connection on which nothing is in flight is closed now.
  public static var closeIdle: Self { Self(kind: .closeIdle) }
  /// The limit is reached: a connection that is still open afterwards is closed by the server.
  public static var cut: Self { Self(kind: .cut) }

  /// The name of the signal.
  public var description: String { kind.rawValue }
}
