public import GracefulDescriptors
public import Logging
public import NIOCore
import NIOPosix
import SystemPackage

/// A listening TCP server that can take over a listener, pause, and end without losing a request.
///
/// It begins with a bound, listening descriptor: one that was made here, or one that came from the process before.
/// ```swift
/// let server = try await DrainingServer.adopt(listener, on: group, logger: logger) { channel in
///   channel.eventLoop.makeCompletedFuture {
///     try channel.pipeline.syncOperations.addDrainingHTTP1Server()
///     try channel.pipeline.syncOperations.addHandler(MyHandler())
///   }
/// }
/// await server.startAccepting()
/// …
/// let outcome = await server.drain(until: .now + .seconds(10))
/// ```
public final class DrainingServer: Sendable {
  /// Where it listens.
  public let localAddress: SocketAddress?

  private let driver: ServerDrainDriver

  private init(driver: ServerDrainDriver, localAddress: SocketAddress?) {
    self.driver = driver
    self.localAddress = localAddress
  }

  /// Takes ownership of a bound, listening TCP descriptor.
  ///
  /// Nothing is accepted before ``startAccepting()``.
  ///
  /// The descriptor is made non-blocking, for every process that shares it (`O_NONBLOCK` belongs to the open file). NIO
  /// calls listen(2) on it again, which sets its backlog to 128 or the system's limit, also for every process.
  /// - Parameters:
  ///   - listener: A duplicate of it may be kept, to be handed over later.
  ///   - group: Its loops serve the listener and the connections.
  ///   - logger: Hears of connections that could not be accepted.
  ///   - childInitializer: Adds the handlers of an accepted connection, on the connection's loop.
  /// - Throws: What NIO throws when the descriptor is no stream socket.
  public static func adopt(
    _ listener: consuming OwnedDescriptor, on group: any EventLoopGroup, logger: Logger,
    childInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) async throws -> DrainingServer {
    let driver = ServerDrainDriver()
    // Whatever happens from here, NIO owns the number.
    let number = listener.release().rawValue
    let channel = try await ServerBootstrap(group: group)
      .serverChannelOption(.autoRead, value: false)
      .serverChannelOption(.maxMessagesPerRead, value: 16)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let handler = ListenerHandler(driver: driver, logger: logger)
          try channel.pipeline.syncOperations.addHandler(handler)
          driver.adopt(channel, handler)
        }
      }
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        do {
          guard let id = driver.id(of: channel) else { throw ChannelError.ioOnClosedChannel }
          try channel.pipeline.syncOperations.addHandler(ConnectionWatch(id: id, driver: driver))
        } catch {
          return channel.eventLoop.makeFailedFuture(error)
        }
        return childInitializer(channel)
      }
      .withBoundSocket(number)
      .get()
    return DrainingServer(driver: driver, localAddress: channel.localAddress)
  }

  /// How many connections are open, from the moment in which they are accepted.
  public var connections: Int { driver.count }

  /// Accepts connections from now on, or again.
  ///
  /// Without effect once the listener is closed or a drain has begun.
  public func startAccepting() async {
    await withCheckedContinuation { continuation in startAccepting { continuation.resume() } }
  }

  /// The same for a caller that is no task.
  /// - Parameter done: Called on the listener's event loop.
  public func startAccepting(whenDone done: @escaping @Sendable () -> Void) {
    driver.receiveOnLoop(.startAccepting, done: done)
  }

  /// Accepts nothing until ``startAccepting()``; what comes meanwhile waits in the kernel's queue.
  ///
  /// When it returns, this process does not call accept(2) again, and every connection that it has accepted is counted.
  public func pauseAccepting() async {
    await withCheckedContinuation { continuation in pauseAccepting { continuation.resume() } }
  }

  /// The same for a caller that is no task.
  /// - Parameter done: Called on the listener's event loop.
  public func pauseAccepting(whenDone done: @escaping @Sendable () -> Void) {
    driver.receiveOnLoop(.pauseAccepting, done: done)
  }

  /// Closes the listener of this process; the socket stays open where another process has it.
  ///
  /// It pauses first and waits until what was accepted last is set up. The connections stay.
  public func closeListener() async {
    await withCheckedContinuation { continuation in
      driver.whenListenerIsGone { continuation.resume() }
      driver.receiveOnLoop(.closeListener)
    }
  }

  /// Closes the listener, and lets the connections finish what is in flight.
  ///
  /// A quarter of the time before the deadline, at most 250 ms, connections without a request in flight are closed; at the
  /// deadline the others are cut. It returns when no connection is left, at the latest 100 ms after the deadline.
  /// A second call joins the first; the nearer deadline holds.
  /// - Parameter deadline: The instant at which everything is to be over.
  /// - Returns: How the connections ended that were open when the drain began.
  public func drain(until deadline: ContinuousClock.Instant) async -> DrainOutcome {
    await withCheckedContinuation { continuation in
      driver.whenDrained { continuation.resume(returning: $0) }
      driver.receiveOnLoop(.drain(until: deadline))
    }
  }
}
