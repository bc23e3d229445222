import NIOCore

/// Accepts, and pauses for a moment when the process has no descriptor left: the poll would report it at once again, for
/// ever.
final class StopListener: ChannelInboundHandler {
  typealias InboundIn = any Channel

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is IOError else { return }
    let channel = context.channel
    try? channel.syncOptions?.setOption(.autoRead, value: false)
    context.eventLoop.assumeIsolated().scheduleTask(in: ListenerHandler.pauseAfterError) {
      try? channel.syncOptions?.setOption(.autoRead, value: true)
    }
  }
}
