import Graceful
import NIOCore
import NIOHTTP1

/// The limits of one connection of the stop endpoint's own server: one request, so many bytes, so much time.
///
/// It is the first handler of the pipeline, before the decoder. A connection carries one request: what asks here comes
/// seldom, and nothing can then be smuggled behind it or kept open idly.
final class StopConnection: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Complete responses that no handler writes.
  enum Refusal: String {
    case badRequest = "400 Bad Request"
    case timedOut = "408 Request Timeout"
    case tooLarge = "431 Request Header Fields Too Large"

    var bytes: ByteBuffer {
      ByteBuffer(string: "HTTP/1.1 \(rawValue)\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    }
  }

  private enum State: Equatable {
    /// The request is arriving.
    case reading
    /// It waits for an answer, and may do so for long.
    case waiting
    /// The answer is being written.
    case answering
    /// It is written; what the client still sends is thrown away until the client closes, so that no reset destroys the answer
    /// (RFC 9112 §9.6).
    case lingering
  }

  private let limits: StopServerLimits
  /// Called when it begins to wait: then it is not cut for another one.
  private let whenWaiting: () -> Void
  private var state = State.reading
  private var bytes = 0
  private var timer: Scheduled<Void>?

  init(limits: StopServerLimits, whenWaiting: @escaping () -> Void) {
    self.limits = limits
    self.whenWaiting = whenWaiting
  }

  /// Whether there is nothing more to say on it.
  var isAnswered: Bool { state == .answering || state == .lingering }

  func channelActive(context: ChannelHandlerContext) {
    start(limits.requestTime, context.channel) { $0.refuse(.timedOut, $1) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard state == .reading else { return }
    bytes += unwrapInboundIn(data).readableBytes
    guard bytes <= limits.requestBytes else { return refuse(.tooLarge, context.channel) }
    context.fireChannelRead(data)
  }

  func channelInactive(context: ChannelHandlerContext) {
    timer?.cancel()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { timer?.cancel() }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    context.fireUserInboundEventTriggered(event)
    guard case ChannelEvent.inputClosed = event else { return }
    // A client may close its half after its request; before that, the request will not come any more.
    if state == .reading || state == .lingering { context.close(promise: nil) }
  }

  /// The request is there, and its answer comes later.
  func waits() {
    guard state == .reading else { return }
    state = .waiting
    timer?.cancel()
    whenWaiting()
  }

  /// The answer is being written: a client that does not read it in time is cut.
  func answers(_ channel: any Channel) {
    guard !isAnswered else { return }
    state = .answering
    start(limits.requestTime, channel) { $1.close(promise: nil) }
  }

  /// The answer is in the kernel.
  func finish(_ channel: any Channel) {
    guard state != .lingering, channel.isActive else { return }
    state = .lingering
    channel.close(mode: .output, promise: nil)
    start(limits.linger, channel) { $1.close(promise: nil) }
  }

  /// Answers what is no request, or nothing, and closes.
  func refuse(_ refusal: Refusal?, _ channel: any Channel) {
    guard state == .reading else { return }
    guard let refusal else {
      state = .lingering
      return channel.close(promise: nil)
    }
    answers(channel)
    let connection = NIOLoopBound(self, eventLoop: channel.eventLoop)
    // From here, past the encoder.
    try? channel.pipeline.syncOperations.context(handler: self).writeAndFlush(wrapOutboundOut(refusal.bytes))
      .assumeIsolated().whenComplete { _ in connection.value.finish(channel) }
  }

  private func start(
    _ time: Duration, _ channel: any Channel, _ over: @escaping (StopConnection, any Channel) -> Void
  ) {
    timer?.cancel()
    timer = channel.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time)) { over(self, channel) }
  }
}
