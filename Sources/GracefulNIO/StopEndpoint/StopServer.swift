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
    /// Held for the next successor, beside the listener's own copy.
    var socket: StopSocket?
    /// The predecessor's: no client is accepted there before this process serves.
    var inherited: StopSocket?
    /// Offers a socket to the next successor, where there may be one.
    var offer: (@Sendable (StopSocket) -> Void)?
    /// Whether it accepts, or is about to.
    var isServing = false
    /// Which attempt to accept is the newest: an earlier attempt that waits to be repeated gives up for it.
    var attempt = 0
    var isClosed = false
  }

  /// A listener's own descriptor of the socket; in tests it can fail.
  typealias Copying = @Sendable (StopSocket) throws -> OwnedDescriptor

  private let responder: StopEndpointResponder
  private let limits: StopServerLimits
  private let copying: Copying
  private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  private let state = Mutex(State())

  init(
    responder: StopEndpointResponder, limits: StopServerLimits,
    copying: @escaping Copying = { try $0.descriptor.owned.duplicate() }
  ) {
    FirstUse.made
    CloseOnExec.setOnPolls()
    self.responder = responder
    self.limits = limits
    self.copying = copying
  }

  /// How many connections are open.
  var connections: Int { state.withLock { $0.connections.count } }

  /// Where it listens, once it does.
  var address: SocketAddress? { state.withLock { $0.listener?.localAddress } }

  /// Serves a socket that listens; from now on it belongs to this server.
  func serve(_ socket: StopSocket) {
    let (isOpen, offer, attempt) = state.withLock { state in
      guard !state.isClosed else { return (false, state.offer, 0) }
      (state.socket, state.isServing) = (socket, true)
      state.attempt += 1
      return (true, state.offer, state.attempt)
    }
    guard isOpen else {
      socket.path?.remove()
      return
    }
    offer?(socket)
    accept(at: socket, attempt, after: nil)
  }

  /// Gives NIO a descriptor of its own.
  ///
  /// Without one to be had it is tried again: clients wait in the queue of the socket meanwhile.
  /// - Parameter complaint: What the log has heard already.
  private func accept(at socket: StopSocket, _ attempt: Int, after complaint: String?) {
    guard state.withLock({ !$0.isClosed && $0.isServing && $0.attempt == attempt }) else { return }
    do {
      listen(try copying(socket))
    } catch {
      let reason = "\(error)"
      if reason != complaint {
        responder.log(.error, "the stop endpoint cannot accept yet, and tries again", ["error": "\(reason)"])
      }
      group.next().scheduleTask(in: ListenerHandler.pauseAfterError) { [self] in
        accept(at: socket, attempt, after: reason)
      }
    }
  }

  private func listen(_ copy: consuming OwnedDescriptor) {
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

  /// Tries again until the process that has the address lets go of it.
  ///
  /// What else is in the way may pass as well (no descriptor left, no directory): it is logged once, and tried again.
  /// - Parameter complaint: What the log has heard already.
  func serve(_ address: StopServerAddress, every interval: TimeAmount, after complaint: String? = nil) {
    group.next().scheduleTask(in: interval) { [self] in
      if state.withLock({ $0.isClosed || $0.inherited != nil }) { return }
      do throws(StopSocketError) {
        serve(try address.listen())
      } catch {
        if !error.isTaken, error.reason != complaint {
          responder.log(
            .error, "the stop endpoint cannot listen yet, and tries again",
            ["address": "\(address)", "error": "\(error.reason)"])
        }
        serve(address, every: interval, after: error.isTaken ? complaint : error.reason)
      }
    }
  }

  private func listens(_ result: Result<any Channel, any Error>) {
    switch result {
    case .success(let channel):
      let isOpen = state.withLock { state in
        let isOpen = state.isServing && !state.isClosed
        if isOpen { state.listener = channel }
        return isOpen
      }
      guard isOpen else { return channel.close(promise: nil) }
      responder.log(.info, "the stop endpoint listens", ["address": "\(channel.localAddress?.forPeople ?? "unknown")"])
    case .failure(let error):
      responder.log(.error, "the stop endpoint cannot listen", ["error": "\(error)"])
    }
  }

  // MARK: Connections

  private func setUp(_ channel: any Channel) -> EventLoopFuture<Void> {
    guard let id = admit(channel) else { return channel.eventLoop.makeFailedFuture(TooManyConnections()) }
    channel.closeFuture.whenComplete { [self] _ in state.withLock { $0.connections[id] = nil } }
    return channel.eventLoop.makeCompletedFuture {
      try Self.addHandlers(to: channel, responder: responder, limits: limits) { [self] in
        state.withLock { $0.connections[id]?.isWaiting = true }
      }
    }
  }

  /// The pipeline of one connection, on its loop.
  static func addHandlers(
    to channel: any Channel, responder: StopEndpointResponder, limits: StopServerLimits,
    whenWaiting: @escaping () -> Void
  ) throws {
    let connection = StopConnection(limits: limits, whenWaiting: whenWaiting)
    channel.closeOnExec()
    try channel.pipeline.syncOperations.addHandlers([
      connection, HTTPResponseEncoder(), ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)),
      NIOHTTPResponseHeadersValidator(), StopEndpointHandler(responder: responder, connection: connection),
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

  // MARK: In a handover

  /// Claims the predecessor's listener, or offers its own.
  func join(offer: @escaping @Sendable (StopSocket) -> Void, inherited: () -> StopSocket?) {
    let own = state.withLock { state in
      state.offer = offer
      return state.socket
    }
    if let own { return offer(own) }
    guard let inherited = inherited() else { return }
    state.withLock { if !$0.isClosed { $0.inherited = inherited } }
    offer(inherited)
  }

  /// This process serves, or serves on: clients that wait in the queue are accepted here.
  func accept() {
    let (socket, isInherited) = state.withLock { state in
      let isInherited = state.inherited != nil
      if let inherited = state.inherited { (state.socket, state.inherited) = (inherited, nil) }
      return (state.isServing ? nil : state.socket, isInherited)
    }
    guard let socket else { return }
    if isInherited { serve(socket, whenReadyWithin: 50) } else { serve(socket) }
  }

  /// Lets a probe wait in the queue until the phase that has just taken over has said that it is ready, and not for long.
  ///
  /// It would be told that it is not, although the program has been ready all the time.
  private func serve(_ socket: StopSocket, whenReadyWithin milliseconds: Int) {
    if milliseconds == 0 || responder.isReady { return serve(socket) }
    group.next().scheduleTask(in: .milliseconds(1)) { [self] in
      serve(socket, whenReadyWithin: milliseconds - 1)
    }
  }

  /// A successor is about to accept.
  /// - Parameter done: Called when no client is accepted here any more.
  func pause(_ done: @escaping @Sendable () -> Void) {
    let listener = state.withLock { state in
      state.isServing = false
      defer { state.listener = nil }
      return state.listener
    }
    guard let listener else { return done() }
    // The socket stays open for the successor, and for this process if that one fails.
    listener.close().whenComplete { [self] _ in
      // The client that was accepted last hears what is true of the program, and not of a process that is being replaced.
      lastAnswers(within: 5).whenComplete { _ in done() }
    }
  }

  /// The successor has the listener; the connections stay, and the path is its.
  func passOn() {
    state.withLock { if $0.offer != nil { $0.socket?.path = nil } }
    closeListener()
  }

  // MARK: The end

  /// Lets another process have the address; the connections stay.
  func closeListener() {
    let (listener, socket) = state.withLock { state in
      state.isClosed = true
      defer { (state.listener, state.socket, state.inherited) = (nil, nil, nil) }
      return (state.listener, state.socket)
    }
    socket?.path?.remove()
    listener?.close(promise: nil)
  }

  /// Removes the path, as the last act; connected clients are still answered.
  func removePath() {
    let path = state.withLock { state in
      defer { state.socket?.path = nil }
      return state.socket?.path
    }
    path?.remove()
  }

  /// Completes when clients that have sent their request have been answered, or after a while.
  ///
  /// Their connections were accepted here before the successor took over; the process is about to exit, and the end of it
  /// would reset them.
  func lastAnswers(within milliseconds: Int) -> EventLoopFuture<Void> {
    let loop = group.next()
    let promise = loop.makePromise(of: Void.self)
    @Sendable func look(_ times: Int) {
      let isBusy = state.withLock { state in state.connections.values.contains { !$0.isWaiting } }
      guard isBusy, times > 0 else { return promise.succeed() }
      loop.scheduleTask(in: .milliseconds(1)) { look(times - 1) }
    }
    loop.execute { look(milliseconds) }
    return promise.futureResult
  }

  /// Closes everything, and ends its thread: the process goes on without it.
  func leave() {
    closeListener()
    group.shutdownGracefully { _ in }
  }
}
