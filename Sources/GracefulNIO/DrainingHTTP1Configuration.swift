/// How an HTTP/1.1 connection is drained and closed.
public struct DrainingHTTP1Configuration: Sendable {
  /// How long bytes are read and discarded after the last response, when the client does not close.
  ///
  /// 2 s. A socket that is closed with unread bytes in it resets the connection, and a reset can destroy an answer
  /// that the client has not read yet (RFC 9112 §9.6). Shorter endangers that answer, longer keeps a descriptor
  /// longer.
  public var linger: Duration = .seconds(2)

  /// The same for a connection that is closed because the drain's limit is near and nothing is in flight on it.
  ///
  /// 100 ms.
  public var briefLinger: Duration = .milliseconds(100)

  /// How many bytes of further requests are held back while one is answered.
  ///
  /// 16 KiB. When more are held, the connection is not read until they are used up. One read can go beyond this.
  public var heldBytes = 16 * 1024

  /// Whether a request with `Expect: 100-continue` gets its `100 Continue` when its handler leaves that to the server.
  ///
  /// True: it is written when the handler has returned from the head and has written neither a 100 nor the head of a
  /// response. So a handler refuses a body unsent only by its answer (417, 413) before it returns from the head; one
  /// that decides later gets the body. False leaves the 100 to every handler, and a client that waits for it without
  /// a limit waits until the drain cuts it (RFC 9110 §10.1.1).
  public var answersExpectContinue = true

  /// The defaults.
  public init() {}
}
