import Graceful
import NIOCore
import NIOHTTP1

/// Takes an order from the body of a request, and answers 202 when it is in the queue.
///
/// A request is a session of the phase, from its head until its answer has been sent.
final class OrderHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let web: Phase
  private let pipeline: Pipeline
  private var session: SharedSession?
  private var order = ""

  init(web: Phase, pipeline: Pipeline) {
    self.web = web
    self.pipeline = pipeline
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      session = try? web.beginSession("\(head.method) \(head.uri)").shared()  // nil: refused, the phase drains
      order = ""
    case .body(let bytes):
      order += String(buffer: bytes)
    case .end:
      if let session {
        pipeline.accept(order)
        answer(.accepted, context).whenComplete { _ in session.end() }
      } else {
        let channel = context.channel
        answer(.serviceUnavailable, context).whenComplete { _ in channel.close(promise: nil) }
      }
    }
  }

  private func answer(_ status: HTTPResponseStatus, _ context: ChannelHandlerContext) -> EventLoopFuture<Void> {
    let headers: HTTPHeaders = ["content-length": "0", "connection": status == .accepted ? "keep-alive" : "close"]
    let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    return context.writeAndFlush(wrapOutboundOut(.end(nil)))
  }
}
