import Graceful
import GracefulDescriptors
import Logging
import NIOCore

/// The handler of the listening channel: counts what is accepted, on the listener's own loop, and turns accepting on
/// and off.
final class ListenerHandler: ChannelInboundHandler {
  typealias InboundIn = any Channel

  /// How long nothing is accepted after the process ran out of descriptors or memory.
  static let pauseAfterError = TimeAmount.milliseconds(100)

  /// How long a connection whose handshake has begun may take to arrive, once no new client is let in, and after the one
  /// before it: a busy machine takes milliseconds for a handshake with itself.
  static let handshakes = TimeAmount.milliseconds(10)
  /// How long the queue is emptied at most: where clients cannot be kept from coming, or accepting fails.
  static let longestEmptying = TimeAmount.seconds(1)

  private let driver: ServerDrainDriver
  private let logger: Logger
  private var isWanted = false
  private var backoff: Scheduled<Void>?
  private var failures = RepetitionLimit(1)
  private var queue: ListenQueue?
  private var lettingIn: Scheduled<Void>?
  private var lastCame = NIODeadline.now()

  init(driver: ServerDrainDriver, logger: Logger) {
    self.driver = driver
    self.logger = logger
  }

  /// When it returns with `false`, accept(2) is not called again before the next `true`: this runs on the listener's
  /// loop, where nothing is being accepted now, and the descriptor is out of the poll set.
  func accept(_ wanted: Bool, on channel: any Channel) {
    isWanted = wanted
    backoff?.cancel()
    backoff = nil
    if wanted { letIn(on: channel) }
    // Fails only when the channel is closed; then nothing is accepted either.
    try? channel.syncOptions?.setOption(.autoRead, value: wanted)
  }

  /// Another process that has this socket, too, may have been killed while it emptied the queue: what keeps new connections
  /// away would stay with the socket, and no client would ever come again.
  private func letIn(on channel: any Channel) {
    if let number = try? number(of: channel) { ListenQueue.letIn(at: number) }
  }

  /// - Returns: `nil` where the channel is none of a socket.
  private func number(of channel: any Channel) throws -> CInt? {
    try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable { (handle: CInt) in handle }
  }

  /// Lets no new client in and goes on accepting until none waits; then says so.
  /// - Parameter mayBeShared: Whether another process may have the listener, too.
  func emptyQueue(on channel: any Channel, mayBeShared: Bool) {
    do {
      queue = try number(of: channel).map { number throws(SystemError) in
        try ListenQueue(of: number, mayBeShared: mayBeShared)
      }
    } catch {
      // No descriptor is left. What waits cannot be accepted then, either.
      logger.warning("connections that wait to be accepted may be lost", metadata: ["error": "\(error)"])
    }
    guard queue != nil else { return driver.receive(.queueIsEmpty) }
    queue?.holdOff()
    // Where another process has the socket too, no client is kept from it for as long as a blocked loop may delay the close.
    lettingIn = channel.eventLoop.assumeIsolated().scheduleTask(in: Self.longestEmptying) { self.queue = nil }
    lastCame = .now()
    look(again: lastCame + Self.handshakes, until: .now() + Self.longestEmptying, on: channel.eventLoop)
  }

  private func look(again next: NIODeadline, until limit: NIODeadline, on loop: any EventLoop) {
    loop.assumeIsolated().scheduleTask(deadline: next) {
      let now = NIODeadline.now()
      guard let isEmpty = self.queue?.isEmpty, now < limit else { return self.driver.receive(.queueIsEmpty) }
      let due = isEmpty ? self.lastCame + Self.handshakes : now + .milliseconds(1)
      guard due > now else { return self.driver.receive(.queueIsEmpty) }
      self.look(again: due, until: limit, on: loop)
    }
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    lastCame = .now()
    // Before its own loop hears of the connection: no count can be seen in which it is missing.
    driver.accepted(unwrapInboundIn(data))
    context.fireChannelRead(data)
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // EMFILE and its like leave the connection in the queue, and the poll would report it at once again, for ever.
    guard error is IOError, isWanted, backoff == nil else {
      logger.warning("a connection could not be set up", metadata: ["error": "\(error)"])
      return
    }
    if case .say(let unsaid) = failures.decide(at: .now) {
      logger.warning(
        "accepting failed; raise the limit of open descriptors if this comes again",
        metadata: ["error": "\(error)", "unsaid": "\(unsaid)"])
    }
    let channel = context.channel
    try? channel.syncOptions?.setOption(.autoRead, value: false)
    backoff = context.eventLoop.assumeIsolated().scheduleTask(in: Self.pauseAfterError) {
      guard self.isWanted else { return }
      self.accept(true, on: channel)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    backoff?.cancel()
    lettingIn?.cancel()
    queue = nil
    context.fireChannelInactive()
    driver.receive(.listenerClosed)
  }
}
