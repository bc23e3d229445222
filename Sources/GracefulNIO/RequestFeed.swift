import NIOCore

/// Gives the HTTP decoder the bytes of one request at a time and holds back what lies behind it.
///
/// It stands before the decoder, so that a further request, complete or begun, is never in the parser: pipelined
/// requests wait here as bytes, and whether a request is followed is known exactly, but for what the kernel holds
/// (``UnreadBytes``) and what is still on the network.
final class RequestFeed: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias OutboundIn = IOData
  typealias OutboundOut = IOData

  private let limit: Int
  private var cut = RequestCut()
  private var held = ByteBuffer()
  private var context: ChannelHandlerContext?
  private var isAdmitting = true
  private var isFeeding = false
  private var isDiscarding = false
  /// A read that was asked for while too much was held.
  private var readIsHeldBack = false
  /// The client's FIN comes after the bytes that are held.
  private var inputClosedIsHeldBack = false

  init(limit: Int) {
    self.limit = limit
  }

  // MARK: What the drain handler asks and says

  /// Whether bytes are here that do not belong to the request that is being answered, or that cannot be attributed.
  var isFollowed: Bool {
    guard let context else { return false }
    return held.readableBytes > (cut.remainingBody ?? 0) || UnreadBytes.exist(on: context.channel)
  }

  /// Whether the next request has begun to arrive, on a connection that answers none.
  var isArriving: Bool { cut.isInsideRequest || isFollowed }

  func headDelivered(_ framing: RequestCut.Framing) {
    cut.headDelivered(framing)
  }

  func endDelivered() {
    isAdmitting = false
    if let disagreement = cut.endDelivered() { context?.fireErrorCaught(disagreement) }
  }

  /// The next request may be given to the decoder.
  ///
  /// What is held comes in a turn of its own: the handler that has just written the end of a response has not
  /// returned yet.
  func admitNext() {
    isAdmitting = true
    guard !isFeeding, let context, held.readableBytes > 0 || inputClosedIsHeldBack else { return }
    context.eventLoop.assumeIsolated().execute {
      guard let context = self.context else { return }
      self.feed(context)
      context.fireChannelReadComplete()
    }
  }

  /// From now on nothing that comes reaches the decoder.
  func discardInput() {
    isDiscarding = true
    held = ByteBuffer()
    guard let context else { return }
    releaseInputClosed(context)
    // The user may read by hand (autoRead off), or a read was held back: the FIN must be seen.
    readIsHeldBack = false
    context.read()
  }

  /// Writes bytes past the encoder, and completes `promise` when they and all before them are in the kernel.
  func writeAndFlush(_ bytes: ByteBuffer, promise: EventLoopPromise<Void>?) {
    guard let context else {
      promise?.fail(ChannelError.ioOnClosedChannel)
      return
    }
    context.writeAndFlush(wrapOutboundOut(.byteBuffer(bytes)), promise: promise)
  }

  // MARK: ChannelDuplexHandler

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    // A client may close its half after its last request; it still gets its answers.
    try? context.channel.syncOptions?.setOption(.allowRemoteHalfClosure, value: true)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isDiscarding else { return }
    var bytes = unwrapInboundIn(data)
    if held.readableBytes == 0 {
      held = bytes
    } else {
      held.writeBuffer(&bytes)
    }
    dropEmptyLines()
    feed(context)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    context.fireChannelReadComplete()
    if isDiscarding { context.read() }
  }

  func read(context: ChannelHandlerContext) {
    guard isDiscarding || held.readableBytes < limit else {
      readIsHeldBack = true
      return
    }
    context.read()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed = event, held.readableBytes > 0, !isDiscarding {
      inputClosedIsHeldBack = true
      return
    }
    context.fireUserInboundEventTriggered(event)
  }

  // MARK: Feeding

  private func feed(_ context: ChannelHandlerContext) {
    guard !isFeeding else { return }
    isFeeding = true
    while isAdmitting, !isDiscarding, held.readableBytes > 0 {
      let taken = held.withUnsafeReadableBytes { cut.take(from: $0) }
      guard let slice = held.readSlice(length: taken) else { break }
      context.fireChannelRead(wrapInboundOut(slice))
      if !isDiscarding, let disagreement = cut.checkAfterParsing() { context.fireErrorCaught(disagreement) }
      dropEmptyLines()
    }
    isFeeding = false
    if held.readableBytes == 0 {
      held = ByteBuffer()
      releaseInputClosed(context)
    }
    if readIsHeldBack, held.readableBytes < limit {
      readIsHeldBack = false
      context.read()
    }
  }

  private func releaseInputClosed(_ context: ChannelHandlerContext) {
    guard inputClosedIsHeldBack else { return }
    inputClosedIsHeldBack = false
    context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
  }

  /// Empty lines before a request line mean nothing (RFC 9112 §2.2) and must not look like a request.
  private func dropEmptyLines() {
    guard !cut.isInsideRequest else { return }
    let count = held.readableBytesView.prefix { $0 == UInt8(ascii: "\r") || $0 == UInt8(ascii: "\n") }.count
    held.moveReaderIndex(forwardBy: count)
  }
}

extension RequestCut.Disagreement: Error {}
