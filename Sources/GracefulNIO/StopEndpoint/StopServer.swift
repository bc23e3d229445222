import Graceful
import GracefulDescriptors
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import SystemPackage

/// The stop endpoint's own server, on a thread of its own: it answers although every thread of the pool is blocked, and
/// although the program's own event loops are.
final class StopServer: Sendable {
  private struct Connection: Sendable {
    var channel: any Channel
    var isWaiting = false
  }

  private struct State: Sendable {
    var connections: [Int: Connection] = [:]
    var nextID = 0
    var listener: (any Channel)?
    var path: StopSocket.Path?
    var isClosed = false
  }

  private let desk: StopDesk
  private let limits: StopServerLimits
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let state = Mutex(State())

  init(desk: StopDesk, limits: StopServerLimits) {
    FirstUse.made
    self.desk = desk
    self.limits = limits
  }

  /// How many connections are open.
  var connections: Int { state.withLock { $0.connections.count } }

  /// Where it listens, once it does.
  var address: SocketAddress? { state.withLock { $0.listener?.localAddress } }

  /// Serves a socket that listens; from now on it belongs to this server.
  func serve(_ socket: StopSocket) {
    let isOpen = state.withLock { state in
      if !state.isClosed { state.path = socket.path }
      return !state.isClosed
    }
    guard isOpen, let copy = try? socket.descriptor.owned.duplicate() else {
      socket.path?.remove()
      return
    }
    let server = self
    ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 128)
      .serverChannelOption(.maxMessagesPerRead, value: 16)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(StopListener())
        }
      }
      .childChannelOption(.allowRemoteHalfClosure, value: true)
      .childChannelInitializer { server.setUp($0) }
      .withBoundSocket(copy.release().rawValue)
      .whenComplete { server.listens($0) }
  }

  /// Tries again until whoever has the address lets go of it.
  func serve(_ address: StopServerAddress, every interval: TimeAmount) {
    group.next().scheduleTask(in: interval) { [self] in
      if state.withLock({ $0.isClosed }) { return }
      do {
        serve(try address.listen())
      } catch let error as StopSocketError where error.isTaken {
        serve(address, every: interval)
      } catch {
        desk.log(.error, "the stop endpoint cannot listen", ["address": "\(address)", "error": "\(error)"])
      }
    }
  }

  private func listens(_ result: Result<any Channel, any Error>) {
    switch result {
    case .success(let channel):
      let isOpen = state.withLock { state in
        if !state.isClosed { state.listener = channel }
        return !state.isClosed
      }
      guard isOpen else { return channel.close(promise: nil) }
      desk.log(.info, "the stop endpoint listens", ["address": "\(channel.localAddress?.forPeople ?? "unknown")"])
    case .failure(let error):
      desk.log(.error, "the stop endpoint cannot listen", ["error": "\(error)"])
    }
  }

  // MARK: Connections

  private func setUp(_ channel: any Channel) -> EventLoopFuture<Void> {
    guard let id = admit(channel) else { return channel.eventLoop.makeFailedFuture(TooManyConnections()) }
    channel.closeFuture.whenComplete { [self] _ in state.withLock { $0.connections[id] = nil } }
    return channel.eventLoop.makeCompletedFuture {
      try Self.addHandlers(to: channel, desk: desk, limits: limits) { [self] in
        state.withLock { $0.connections[id]?.isWaiting = true }
      }
    }
  }

  /// The pipeline of one connection, on its loop.
  static func addHandlers(
    to channel: any Channel, desk: StopDesk, limits: StopServerLimits, whenWaiting: @escaping () -> Void
  ) throws {
    let connection = StopConnection(limits: limits, whenWaiting: whenWaiting)
    try channel.pipeline.syncOperations.addHandlers([
      connection, HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
      NIOHTTPResponseHeadersValidator(), StopEndpointHandler(desk: desk, connection: connection),
    ])
  }

  /// - Returns: `nil` when there is no room, because all that are open wait for their answer.
  private func admit(_ channel: any Channel) -> Int? {
    let (id, oldest): (Int?, (any Channel)?) = state.withLock { state in
      guard !state.isClosed else { return (nil, nil) }
      var oldest: (any Channel)?
      if state.connections.count >= limits.connections {
        guard let id = state.connections.lazy.filter({ !$0.value.isWaiting }).map(\.key).min() else {
          return (nil, nil)
        }
        oldest = state.connections.removeValue(forKey: id)?.channel
      }
      state.nextID += 1
      state.connections[state.nextID] = Connection(channel: channel)
      return (state.nextID, oldest)
    }
    oldest?.close(promise: nil)
    return id
  }

  private struct TooManyConnections: Error {}

  // MARK: The end

  /// Lets another process have the address; the connections stay.
  func closeListener() {
    let (listener, path) = state.withLock { state in
      state.isClosed = true
      defer { (state.listener, state.path) = (nil, nil) }
      return (state.listener, state.path)
    }
    path?.remove()
    listener?.close(promise: nil)
  }

  /// Removes the path, as the last act; whoever is connected is still answered.
  func removePath() {
    let path = state.withLock { state in
      defer { state.path = nil }
      return state.path
    }
    path?.remove()
  }

  /// Closes everything, and ends its thread: the process goes on without it.
  func leave() {
    closeListener()
    group.shutdownGracefully { _ in }
  }
}

/// Accepts, and pauses for a moment when the process has no descriptor left: the poll would report it at once again, for
/// ever.
private final class StopListener: ChannelInboundHandler {
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
