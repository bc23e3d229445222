public import NIOCore

/// How an HTTP/1.1 connection is drained and closed.
public struct DrainingHTTP1Configuration: Sendable {
  /// How long bytes are read and discarded after the last response, when the client does not close.
  ///
  /// 2 s. A socket that is closed with unread bytes in it resets the connection, and a reset can destroy an answer
  /// that the client has not read yet (RFC 9112 §9.6). Shorter endangers that answer, longer keeps a descriptor
  /// longer.
  public var linger: TimeAmount = .seconds(2)

  /// The same for a connection that is closed because the drain's limit is near and nothing is in flight on it.
  ///
  /// 100 ms.
  public var briefLinger: TimeAmount = .milliseconds(100)

  /// How many bytes of further requests are held back while one is answered.
  ///
  /// 16 KiB. When more are held, the connection is not read until they are used up. One read can go beyond this.
  public var heldBytes = 16 * 1024

  /// The defaults.
  public init() {}
}
