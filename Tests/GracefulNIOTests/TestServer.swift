import GracefulDescriptors
@testable import GracefulNIO
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import TestHost
import Testing

/// Requests that wait in their handler until the test lets them go on.
final class Gate: Sendable {
  private let state = Mutex<
    (arrived: [EventLoopPromise<Void>], waiting: [CheckedContinuation<EventLoopPromise<Void>, Never>])
  >(
    ([], []))

  func arrive(on loop: any EventLoop) -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    let waiting = state.withLock { state in
      if state.waiting.isEmpty {
        state.arrived.append(promise)
        return CheckedContinuation<EventLoopPromise<Void>, Never>?.none
      }
      return state.waiting.removeFirst()
    }
    waiting?.resume(returning: promise)
    return promise.futureResult
  }

  /// The next request that has arrived.
  func next() async -> EventLoopPromise<Void> {
    await withCheckedContinuation { continuation in
      let promise = state.withLock { state in
        if state.arrived.isEmpty {
          state.waiting.append(continuation)
          return EventLoopPromise<Void>?.none
        }
        return state.arrived.removeFirst()
      }
      if let promise { continuation.resume(returning: promise) }
    }
  }
}

/// What a user of the library would write, with a gate to hold its answers.
final class TestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  private let name: String
  private let gate: Gate
  private var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/")
  private var body = ByteBuffer()

  init(name: String, gate: Gate) {
    self.name = name
    self.gate = gate
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body = ByteBuffer()
      switch head.uri {
      case "/mirror":
        write(.head(HTTPResponseHead(version: .http1_1, status: .ok)), context)
        // The test knows then that the head is written.
        gate.arrive(on: context.eventLoop).whenComplete { _ in }
      case "/continue":
        write(.head(HTTPResponseHead(version: .http1_1, status: .continue)), context)
      case "/early":
        answer("no", status: .payloadTooLarge, context)
      default: break
      }
    case .body(var part):
      if head.uri == "/mirror" {
        write(.body(.byteBuffer(part)), context)
      } else {
        body.writeBuffer(&part)
      }
    case .end: ended(context)
    }
  }

  private func ended(_ context: ChannelHandlerContext) {
    switch head.uri {
    case "/held":
      gate.arrive(on: context.eventLoop).assumeIsolated().whenSuccess { self.answer("held", context) }
    case "/stream":
      write(.head(HTTPResponseHead(version: .http1_1, status: .ok)), context)
      write(.body(.byteBuffer(ByteBuffer(string: "one"))), context)
      gate.arrive(on: context.eventLoop).assumeIsolated().whenSuccess {
        self.write(.body(.byteBuffer(ByteBuffer(string: "two"))), context)
        self.write(.end(nil), context)
      }
    case "/mirror": write(.end(nil), context)
    case "/early": break
    case "/echo", "/continue": answer(String(buffer: body), context)
    case "/large": answer(String(repeating: "x", count: 8_000_000) + "END", context)
    default: answer("\(name)\(head.uri)", context)
    }
  }

  private func answer(_ text: String, status: HTTPResponseStatus = .ok, _ context: ChannelHandlerContext) {
    let headers: HTTPHeaders = ["Content-Length": "\(text.utf8.count)"]
    write(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers)), context)
    write(.body(.byteBuffer(ByteBuffer(string: text))), context)
    write(.end(nil), context)
  }

  private func write(_ part: HTTPServerResponsePart, _ context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(part), promise: nil)
  }
}

/// A server on a free port, its gate, and loops for clients.
struct TestServer {
  static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
  /// For tests of limits: no other test's work delays what runs here.
  static let quietGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)

  let server: DrainingServer
  let gate: Gate
  /// Another copy of the listener, as a successor holds one.
  let copy: SharedDescriptor

  static func listener() throws -> OwnedDescriptor {
    try ListenAddress(host: "127.0.0.1", port: 0).listen()
  }

  static func start(
    name: String = "first", configuration: DrainingHTTP1Configuration = .init(), accepting: Bool = true,
    on group: any EventLoopGroup = Self.group
  ) async throws -> TestServer {
    let listener = try listener()
    let copy = SharedDescriptor(try listener.duplicate())
    let server = try await adopt(listener, name: name, configuration: configuration, copy: copy, on: group)
    if accepting { await server.server.startAccepting() }
    return server
  }

  static func adopt(
    _ listener: consuming OwnedDescriptor, name: String, configuration: DrainingHTTP1Configuration = .init(),
    copy: SharedDescriptor, on group: any EventLoopGroup = Self.group
  ) async throws -> TestServer {
    let gate = Gate()
    let server = try await DrainingServer.adopt(listener, on: group, logger: Logger(label: "test")) { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addDrainingHTTP1Server(configuration: configuration)
        try channel.pipeline.syncOperations.addHandler(TestHandler(name: name, gate: gate))
      }
    }
    return TestServer(server: server, gate: gate, copy: copy)
  }

  func connect() async throws -> RawClient {
    try await RawClient.connect(to: server.localAddress, on: Self.group)
  }

  /// Begins a drain and returns when every connection that is set up has heard of it.
  func beginDrain(_ limit: Duration = .seconds(60)) async -> Task<DrainOutcome, Never> {
    let (begun, isBegun) = AsyncStream.makeStream(of: Void.self)
    let drain = Task {
      await withCheckedContinuation { continuation in
        server.drain(until: .now + limit, whenBegun: { isBegun.finish() }) { continuation.resume(returning: $0) }
      }
    }
    for await _ in begun {}
    // What was said to the connections comes before this on each loop.
    for loop in Self.group.makeIterator() { try? await loop.submit {}.get() }
    return drain
  }

  /// The same when `client` is the only one, which must have been accepted.
  func beginDrainOf(_ client: RawClient) async -> Task<DrainOutcome, Never> {
    try? await poll { server.connections == 1 }
    return await beginDrain()
  }
}
