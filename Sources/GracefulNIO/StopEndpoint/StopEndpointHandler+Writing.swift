import Graceful
import NIOCore
import NIOHTTP1

/// What the handler writes.
extension StopEndpointHandler {
  func open(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    var headers: HTTPHeaders = ["Content-Type": ServerSentEvent.type, "Cache-Control": "no-store"]
    // A proxy that buffers would keep them until the end (nginx, "proxy_buffering").
    headers.add(name: "X-Accel-Buffering", value: "no")
    close(&headers, head)
    let version: HTTPVersion = head.version.isBelow1_1 ? .http1_0 : .http1_1
    if version == .http1_0 { headers.replaceOrAdd(name: "Connection", value: "close") }
    context.writeAndFlush(
      wrapOutboundOut(.head(HTTPResponseHead(version: version, status: .ok, headers: headers))), promise: nil)
  }

  /// A client that does not read is told nothing more until it does: what waits to be read is bounded.
  func say(_ text: String, _ context: ChannelHandlerContext) {
    guard context.channel.isWritable else {
      conversation?.unread += 1
      if conversation?.unread ?? 0 > Self.mostUnread { context.close(promise: nil) }
      return
    }
    conversation?.unread = 0
    context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
  }

  func write(
    _ response: StopEndpoint.Response, to request: HTTPRequestHead, _ context: ChannelHandlerContext,
    _ written: EventLoopPromise<Void>? = nil
  ) {
    var headers = HTTPHeaders(response.headers.map { ($0.name, $0.value) })
    headers.replaceOrAdd(name: "Content-Length", value: "\(response.body.utf8.count)")
    close(&headers, request)
    // The user's own code may have chosen a number that is no status, which cannot be sent (RFC 9110 §15).
    let status = (200...599).contains(response.status) ? response.status : 500
    let head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status), headers: headers)
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if response.sendsBody, !response.body.isEmpty {
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: response.body)))), promise: nil)
    }
    end(request, context, written)
  }

  private func close(_ headers: inout HTTPHeaders, _ request: HTTPRequestHead) {
    if closes(after: request) { headers.replaceOrAdd(name: "Connection", value: "close") }
  }

  private func closes(after request: HTTPRequestHead) -> Bool { connection != nil || isLast || !request.isKeepAlive }

  func end(_ request: HTTPRequestHead, _ context: ChannelHandlerContext, _ written: EventLoopPromise<Void>?) {
    let promise = context.eventLoop.makePromise(of: Void.self)
    promise.futureResult.cascade(to: written)
    let channel = context.channel
    if let connection {
      let connection = NIOLoopBound(connection, eventLoop: context.eventLoop)
      connection.value.answers(channel)
      promise.futureResult.whenComplete { _ in connection.value.finish(channel) }
    } else if closes(after: request) {
      promise.futureResult.whenComplete { _ in channel.close(promise: nil) }
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: promise)
  }
}
