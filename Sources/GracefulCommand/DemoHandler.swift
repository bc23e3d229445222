internal import GracefulProcesses
internal import NIOCore
internal import NIOHTTP1

/// Answers the demo's requests.
///
/// One at a time comes here; the handlers before it see to that.
final class DemoHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// The longest body that /echo takes.
  private static let bodyLimit = 8 * 1024 * 1024

  private let generation: Int
  private let delay: TimeAmount
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var bodyIsTooLong = false
  private var pending: Scheduled<Void>?

  init(generation: Int, delay: Duration) {
    self.generation = generation
    self.delay = TimeAmount(delay)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body.clear()
      bodyIsTooLong = false
    case .body(var part):
      if body.readableBytes + part.readableBytes > Self.bodyLimit {
        bodyIsTooLong = true
        body.clear()
      } else if !bodyIsTooLong {
        body.writeBuffer(&part)
      }
    case .end:
      guard let head else { return }
      self.head = nil
      answer(head, DemoRoute(head), context: context)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    pending?.cancel()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // The client went away; no answer can reach it.
    context.close(promise: nil)
  }

  private func answer(_ head: HTTPRequestHead, _ route: DemoRoute, context: ChannelHandlerContext) {
    switch route {
    case .identity:
      let text = "generation \(generation) pid \(ProcessID.current.rawValue)\n"
      after(delay, context) { self.respond(.ok, text, to: head, context: $0) }
    case .slow(let time):
      after(delay + time, context) { self.respond(.ok, "slow\n", to: head, context: $0) }
    case .stream(let time): after(delay, context) { self.stream(over: time, to: head, context: $0) }
    case .echo where bodyIsTooLong: respond(.payloadTooLarge, "at most 8 MiB are taken\n", to: head, context: context)
    case .echo:
      let body = self.body
      after(delay, context) { self.respond(.ok, body, to: head, context: $0) }
    case .badMilliseconds:
      respond(.badRequest, "ms takes a whole number from 0 to 600000\n", to: head, context: context)
    case .wrongMethod: respond(.methodNotAllowed, "that method is not for this path\n", to: head, context: context)
    case .unknown: respond(.notFound, "there are /, /slow, /stream and /echo\n", to: head, context: context)
    }
  }

  private func respond(
    _ status: HTTPResponseStatus, _ text: String, to head: HTTPRequestHead, context: ChannelHandlerContext
  ) {
    respond(status, context.channel.allocator.buffer(string: text), to: head, context: context)
  }

  private func respond(
    _ status: HTTPResponseStatus, _ body: ByteBuffer, to head: HTTPRequestHead, context: ChannelHandlerContext
  ) {
    var headers = responseHeaders(to: head)
    headers.add(name: "Content-Length", value: "\(body.readableBytes)")
    context.write(wrapOutboundOut(.head(.init(version: .http1_1, status: status, headers: headers))), promise: nil)
    if head.method != .HEAD { context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  /// Ten pieces and an end, spread over the time.
  private func stream(over time: TimeAmount, to head: HTTPRequestHead, context: ChannelHandlerContext) {
    var headers = responseHeaders(to: head)
    headers.add(name: "Transfer-Encoding", value: "chunked")
    context.writeAndFlush(
      wrapOutboundOut(.head(.init(version: .http1_1, status: .ok, headers: headers))), promise: nil)
    piece(1, of: 10, every: time / 10, isHead: head.method == .HEAD, context: context)
  }

  private func piece(_ number: Int, of count: Int, every time: TimeAmount, isHead: Bool, context: ChannelHandlerContext)
  {
    guard number <= count, !isHead else {
      return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
    after(time, context) { context in
      let text = context.channel.allocator.buffer(string: "piece \(number) of \(count)\n")
      context.writeAndFlush(self.wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
      self.piece(number + 1, of: count, every: time, isHead: false, context: context)
    }
  }

  private func responseHeaders(to head: HTTPRequestHead) -> HTTPHeaders {
    var headers = HTTPHeaders([("Content-Type", "text/plain; charset=utf-8")])
    if let id = head.headers.first(name: "X-Request-Id") { headers.add(name: "X-Request-Id", value: id) }
    return headers
  }

  private func after(
    _ time: TimeAmount, _ context: ChannelHandlerContext, _ body: @escaping (ChannelHandlerContext) -> Void
  ) {
    guard time > .zero else { return body(context) }
    pending = context.eventLoop.assumeIsolated().scheduleTask(in: time) {
      guard context.channel.isActive else { return }
      body(context)
    }
  }
}

/// What a request asks of the demo.
enum DemoRoute: Equatable {
  case identity, slow(TimeAmount), stream(TimeAmount), echo, badMilliseconds, wrongMethod, unknown

  init(_ head: HTTPRequestHead) {
    let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let path = parts.first.map(String.init) ?? ""
    let reads = head.method == .GET || head.method == .HEAD
    switch path {
    case "/": self = reads ? .identity : .wrongMethod
    case "/slow": self = reads ? Self.timed(parts) { .slow($0) } : .wrongMethod
    case "/stream": self = reads ? Self.timed(parts) { .stream($0) } : .wrongMethod
    case "/echo": self = head.method == .POST ? .echo : .wrongMethod
    default: self = .unknown
    }
  }

  /// `ms` is 0 when it is not named.
  private static func timed(_ parts: [Substring], _ route: (TimeAmount) -> DemoRoute) -> DemoRoute {
    let query = parts.count > 1 ? parts[1].split(separator: "&") : []
    guard let value = query.first(where: { $0.hasPrefix("ms=") })?.dropFirst(3) else { return route(.zero) }
    guard value.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(value), number <= 600_000 else {
      return .badMilliseconds
    }
    return route(.milliseconds(number))
  }
}

extension TimeAmount {
  fileprivate static func / (amount: TimeAmount, divisor: Int64) -> TimeAmount {
    .nanoseconds(amount.nanoseconds / divisor)
  }
}
