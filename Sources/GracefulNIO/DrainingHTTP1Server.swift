public import NIOCore
import NIOHTTP1

extension ChannelPipeline.SynchronousOperations {
  /// Adds an HTTP/1.1 server that drains: afterwards add a handler that reads `HTTPServerRequestPart` and writes
  /// `HTTPServerResponsePart`.
  ///
  /// Requests are delivered one at a time. When the server drains, the response behind whose request nothing more has
  /// come announces `Connection: close`; then the connection is half-closed and read to its end, and closed.
  /// `Connection: close` and HTTP/1.0 are honoured at any time, a malformed request is answered with 400. A handler
  /// need not close the channel, and when it does so after its last response, the close waits for the client. It need
  /// not answer `Expect: 100-continue` either (``DrainingHTTP1Configuration/answersExpectContinue``).
  ///
  /// What remains: a request that is on the network while the close is announced is not answered (RFC 9112 §9.6);
  /// only a client that pipelines can have sent one.
  /// - Parameter configuration: How long to linger, how much to hold, and who answers an expectation.
  /// - Throws: What NIO throws when a handler cannot be added, because the channel is closed.
  public func addDrainingHTTP1Server(configuration: DrainingHTTP1Configuration = .init()) throws {
    FirstUse.made
    let feed = RequestFeed(limit: configuration.heldBytes)
    try addHandlers([
      feed, HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
      NIOHTTPResponseHeadersValidator(), HTTPDrainHandler(feed: feed, configuration: configuration),
    ])
  }
}

/// The decoder's types, made once, by one thread, before the loops need them.
///
/// When two threads are the first to use a generic class at the same moment, the runtime of Swift 6.3.1 can crash: one
/// looks for a conformance of a class whose superclass the other has not filled in yet (swift_checkMetadataState of
/// null). Two loops that serve the first two connections of a process are such threads: seen in 2 of 900 starts under
/// a burst of connections, in none of 2,500 with this.
enum FirstUse {
  static let made: Void = {
    _ = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
  }()
}
