public import GracefulDescriptors
public import Logging
public import NIOCore
import NIOPosix
import SystemPackage

/// A listening TCP server that can take over a listener, pause, and end without losing a request.
///
/// It begins with a bound, listening descriptor: made here, or handed over by the process before.
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

  /// Which socket it listens at; `nil` when that could not be seen.
  let listener: FileStatus.Identity?
  private let driver: ServerDrainDriver

  private init(driver: ServerDrainDriver, listener: FileStatus.Identity?, localAddress: SocketAddress?) {
    self.driver = driver
    self.listener = listener
    self.localAddress = localAddress
  }

  /// Takes ownership of a bound, listening TCP descriptor.
  ///
  /// Nothing is accepted before ``startAccepting()``.
  ///
  /// The descriptor is made non-blocking, and its backlog is set, for every process that shares it: both belong to the
  /// socket and not to the descriptor.
  /// - Parameters:
  ///   - listener: A duplicate of it may be kept, to be handed over later.
  ///   - backlog: How many connections may wait to be accepted; the system clips it to its own limit
  ///     (`net.core.somaxconn`). 4096. A smaller one loses connections while no process accepts.
  ///   - group: Its loops serve the listener and the connections.
  ///   - logger: Hears of connections that could not be accepted.
  ///   - childInitializer: Adds the handlers of an accepted connection, on the connection's loop.
  /// - Throws: ``/Graceful/SystemError`` when the descriptor is no IPv4 or IPv6 socket or the process has none left, and
  ///   what NIO throws when it cannot listen.
  public static func adopt(
    _ listener: consuming OwnedDescriptor, on group: any EventLoopGroup, backlog: Int32 = 4096, logger: Logger,
    childInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) async throws -> DrainingServer {
    let address = try ListenAddress(of: listener)
    let driver = ServerDrainDriver()
    let copy = SharedDescriptor(try listener.duplicate())
    let open: @Sendable (CInt, any EventLoopGroup) -> EventLoopFuture<any Channel> = { [weak driver] number, parent in
      Self.channel(of: number, on: parent, group, driver, backlog: backlog, logger: logger, childInitializer)
    }
    // Whatever happens from here, NIO owns the number.
    let channel = try await open(listener.release().rawValue, group).get()
    let status = try? SocketCalls.live.descriptorStatus(copy.number).get()
    driver.renew(
      by: ListenerRenewal(copy: copy, address: address, logger: logger) { number, loop in
        open(number, loop).map { _ in }
      })
    return DrainingServer(driver: driver, listener: status?.identity, localAddress: channel.localAddress)
  }

  private static func channel(
    of number: CInt, on parent: any EventLoopGroup, _ group: any EventLoopGroup, _ driver: ServerDrainDriver?,
    backlog: Int32, logger: Logger, _ childInitializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Void>
  ) -> EventLoopFuture<any Channel> {
    guard let driver else { return parent.next().makeFailedFuture(ChannelError.ioOnClosedChannel) }
    return ServerBootstrap(group: parent, childGroup: group)
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
          // NIO accepts without it: from accept(2) to here a child process may still get the connection.
          channel.closeOnExec()
          guard let id = driver.id(of: channel) else { throw ChannelError.ioOnClosedChannel }
          try channel.pipeline.syncOperations.addHandler(ConnectionWatch(id: id, driver: driver))
        } catch {
          return channel.eventLoop.makeFailedFuture(error)
        }
        return childInitializer(channel)
      }
      .withBoundSocket(number)
      .map { channel in
        CloseOnExec.setOnPolls()
        // NIO has called listen(2) with a backlog of its own, 128. Where this fails, 128 it stays.
        _ = SocketCalls.live.listen(number, backlog)
        _ = SocketCalls.live.keepNonblocking(number)
        return channel
      }
  }

  /// How many connections are open, from the moment in which they are accepted.
  public var connections: Int { driver.count }

  /// Returns when another process has ended the listening and it cannot be had again, or the task is cancelled.
  func listenerIsLost() async {
    let (lost, isLost) = AsyncStream<Void>.makeStream()
    driver.whenListenerIsLost { isLost.finish() }
    for await _ in lost {}
  }

  /// How many connections have been accepted in all.
  public var accepted: Int { driver.accepted }

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
  /// It accepts first who waits to be: closing would reset those connections, although their clients may have sent a
  /// request. Until none has come for 10 ms, at most for 1 s, no new client is let in meanwhile (on Linux): a client that comes then
  /// tries again after a second. When it was paused, the queue is another process's, and nothing is accepted. Then it
  /// waits until what was accepted last is set up. The connections stay.
  public func closeListener() async { await closeListener(mayBeShared: true) }

  /// The same, without a moment in which a connection may begin and be lost, where no other process has the socket.
  package func closeListener(mayBeShared: Bool) async {
    if !mayBeShared { driver.listenerIsUnshared() }
    await withCheckedContinuation { continuation in
      driver.whenListenerIsGone { continuation.resume() }
      driver.receiveOnLoop(.closeListener)
    }
  }

  /// Closes the listener, and lets the connections finish what is in flight.
  ///
  /// A quarter of the time before the deadline, at most 250 ms, connections without a request in flight are closed;
  /// at the deadline the others are cut. It returns when no connection is left, at the latest 100 ms after the
  /// deadline. A second call joins the first; the nearer deadline holds. Cancelling the task that waits makes now the
  /// deadline: what is in flight is cut.
  /// - Parameter deadline: The instant at which everything is to be over.
  /// - Returns: How the connections ended that were open when the drain began.
  public func drain(until deadline: ContinuousClock.Instant) async -> DrainOutcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        drain(until: deadline) { continuation.resume(returning: $0) }
      }
    } onCancel: {
      drain(until: .now, whenDone: { _ in })
    }
  }

  /// The same for a caller that is no task.
  /// - Parameters:
  ///   - whenBegun: Called when every connection has been told.
  ///   - whenDone: Called when no connection is left; both on some event loop.
  package func drain(
    until deadline: ContinuousClock.Instant, whenBegun: @escaping @Sendable () -> Void = {},
    whenDone: @escaping @Sendable (DrainOutcome) -> Void
  ) {
    driver.whenDrained(whenDone)
    driver.receiveOnLoop(.drain(until: deadline), done: whenBegun)
  }
}
