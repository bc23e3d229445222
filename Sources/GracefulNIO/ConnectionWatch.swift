import NIOCore

/// The first handler of every accepted connection: says that it is set up, and closes it at the limit when no handler
/// else does.
final class ConnectionWatch: ChannelInboundHandler {
  typealias InboundIn = Any

  private let id: ServerDrainStateMachine.ID
  private let driver: ServerDrainDriver
  private var isNoted = false

  init(id: ServerDrainStateMachine.ID, driver: ServerDrainDriver) {
    self.id = id
    self.driver = driver
  }

  /// How the connection ended, said by the protocol that runs on it.
  ///
  /// The first word counts.
  func note(_ ending: ConnectionEnding) {
    isNoted = true
    driver.receive(.noted(id, ending))
  }

  /// What waits on this connection waits for the end of more than its server: the server neither waits for it nor cuts
  /// it, and it closes by itself.
  func exempt() {
    isNoted = true
    driver.forget(id)
  }

  func channelActive(context: ChannelHandlerContext) {
    context.fireChannelActive()
    driver.receive(.isSetUp(id))
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    context.fireUserInboundEventTriggered(event)
    guard event as? DrainSignal == .cut, context.channel.isActive else { return }
    if !isNoted { note(.cut) }
    context.close(promise: nil)
  }
}
