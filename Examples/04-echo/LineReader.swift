import NIOCore

/// Cuts what arrives into lines.
///
/// Told to come to rest, it ends the connection as soon as no line is begun.
final class LineReader: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  private var bytes = ByteBuffer()
  private var isStopping = false

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    bytes.writeImmutableBuffer(unwrapInboundIn(data))
    while let end = bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n")),
      let line = bytes.readSlice(length: end + 1 - bytes.readerIndex)
    {
      context.fireChannelRead(wrapInboundOut(line))
    }
    endBetweenLines(context)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent { isStopping = true }
    endBetweenLines(context)
  }

  private func endBetweenLines(_ context: ChannelHandlerContext) {
    // The reader gets the lines that are here, and then the end.
    if isStopping, bytes.readableBytes == 0 { context.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
  }
}
