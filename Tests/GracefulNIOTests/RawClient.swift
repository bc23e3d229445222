import NIOCore
import NIOPosix
import Synchronization

/// A TCP client that sends bytes as it is told and keeps what comes: bytes, the server's FIN, or a reset.
final class RawClient: Sendable {
  struct Seen: Sendable {
    var text = ""
    var fin = false
    var failure: String?
    var closed = false

    func count(of part: String) -> Int { text.split(separator: part, omittingEmptySubsequences: false).count - 1 }
  }

  struct TimedOut: Error, CustomStringConvertible {
    var seen: Seen
    var description: String { "what was awaited did not come; seen: \(seen)" }
  }

  private struct Waiter: Sendable {
    var condition: @Sendable (Seen) -> Bool
    var promise: EventLoopPromise<Seen>
  }

  private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let client: RawClient
    let first: String

    init(_ client: RawClient, sending first: String) {
      self.client = client
      self.first = first
    }

    func channelActive(context: ChannelHandlerContext) {
      if !first.isEmpty { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: first)), promise: nil) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let text = String(buffer: unwrapInboundIn(data))
      client.update { $0.text += text }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
      guard case ChannelEvent.inputClosed = event else { return }
      client.update { $0.fin = true }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      client.update { $0.failure = "\(error)" }
    }

    func channelInactive(context: ChannelHandlerContext) {
      client.update { $0.closed = true }
    }
  }

  private let state = Mutex<(seen: Seen, waiters: [Waiter])>((Seen(), []))
  private let connected = Mutex<(any Channel)?>(nil)

  var seen: Seen { state.withLock { $0.seen } }
  private var channel: any Channel { connected.withLock { $0! } }

  /// - Parameter first: Sent as soon as it is connected, by the channel's own thread: a test that waits for its turn in
  ///   between may come so late that the server has given the connection up.
  static func connect(
    to address: SocketAddress?, on group: any EventLoopGroup, sending first: String = ""
  ) async throws -> RawClient {
    let client = RawClient()
    let channel = try await ClientBootstrap(group: group)
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelOption(.tcpOption(.tcp_nodelay), value: 1)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Collector(client, sending: first))
        }
      }
      .connect(to: address!).get()
    client.connected.withLock { $0 = channel }
    return client
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text))
  }

  /// Reads nothing from now on, or reads again.
  func reads(_ isReading: Bool) async throws {
    try await channel.setOption(.autoRead, value: isReading).get()
  }

  /// Sends a FIN.
  func finish() async throws {
    try await channel.close(mode: .output)
  }

  func close() async {
    try? await channel.close()
  }

  /// Closes with a reset.
  func reset() async throws {
    let channel = channel
    guard let options = channel as? any SocketOptionProvider else { return }
    try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
    try await channel.close()
  }

  @discardableResult
  func until(
    limit: TimeAmount = .seconds(20), _ condition: @escaping @Sendable (Seen) -> Bool
  ) async throws -> Seen {
    let promise = channel.eventLoop.makePromise(of: Seen.self)
    let waiter = Waiter(condition: condition, promise: promise)
    let now = state.withLock { state in
      let holds = condition(state.seen)
      if !holds { state.waiters.append(waiter) }
      return holds ? state.seen : nil
    }
    if let now {
      promise.succeed(now)
    } else {
      let timer = channel.eventLoop.scheduleTask(in: limit) {
        let (mine, seen) = self.state.withLock { state in
          let mine = state.waiters.contains { $0.promise.futureResult === promise.futureResult }
          state.waiters.removeAll { $0.promise.futureResult === promise.futureResult }
          return (mine, state.seen)
        }
        if mine { promise.fail(TimedOut(seen: seen)) }
      }
      promise.futureResult.whenComplete { _ in timer.cancel() }
    }
    return try await promise.futureResult.get()
  }

  private func update(_ change: (inout Seen) -> Void) {
    let (ready, seen) = state.withLock { state in
      change(&state.seen)
      let seen = state.seen
      let ready = state.waiters.filter { $0.condition(seen) }
      state.waiters.removeAll { $0.condition(seen) }
      return (ready, seen)
    }
    for waiter in ready { waiter.promise.succeed(seen) }
  }
}
