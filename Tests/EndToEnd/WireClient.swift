import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestHost

/// A connection and what came back on it, byte by byte; no HTTP library, no retry.
final class WireClient: Sendable {
  struct Seen: Sendable {
    var text = ""
    /// The server has sent its FIN, or a reset.
    var ended = false
    var error: String?
  }

  private let channel: any Channel
  private let seen: Recorder

  private init(_ channel: any Channel, _ seen: Recorder) {
    self.channel = channel
    self.seen = seen
  }

  /// - Parameter first: Sent as soon as it is connected, by the channel's own thread: a test that waits for its turn in
  ///   between may come so late that the server has given the connection up.
  static func connect(port: Int, sending first: String = "") async throws -> WireClient {
    let recorder = Recorder()
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .connectTimeout(.seconds(5))
      .channelOption(.allowRemoteHalfClosure, value: true)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(RecorderHandler(recorder, sending: first))
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    return WireClient(channel, recorder)
  }

  /// A Unix socket; its error if it cannot be connected.
  static func connect(socket: String, sending first: String = "") async throws -> WireClient {
    let recorder = Recorder()
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(RecorderHandler(recorder, sending: first))
        }
      }
      .connect(unixDomainSocketPath: socket).get()
    return WireClient(channel, recorder)
  }

  var text: String { seen.value.withLock { $0.text } }
  var ended: Bool { seen.value.withLock { $0.ended } }
  var error: String? { seen.value.withLock { $0.error } }

  func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }
  func send(bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
  func get(_ path: String = "/") async throws { try await send("GET \(path) HTTP/1.1\r\nHost: test\r\n\r\n") }
  func close() { channel.close(promise: nil) }

  /// Waits until the text has that in it.
  func reads(_ part: String, within limit: Duration = .seconds(20)) async -> Bool {
    await eventually(within: limit) { self.text.contains(part) || self.ended } && text.contains(part)
  }

  /// Asks again and again on the same connection, until an answer announces the close.
  ///
  /// - Returns: whether each question was answered, and the close was announced once, on the last answer.
  func isServedUntilTold() async -> Bool {
    var asked = 0
    while !text.contains("Connection: close") {
      asked += 1
      let answer = "X-Request-Id: again-\(asked)\r\n"
      guard asked < 1000, !ended,
        (try? await send("GET / HTTP/1.1\r\nHost: test\r\nX-Request-Id: again-\(asked)\r\n\r\n")) != nil,
        await reads(answer)
      else { return false }
    }
    return await eventually { self.ended } && text.components(separatedBy: "Connection: close").count == 2
  }

  /// Waits for the server's end of the connection.
  func ends(within limit: Duration = .seconds(20)) async -> Bool { await eventually(within: limit) { self.ended } }

  /// One whole exchange on a connection of its own; nil when there was none.
  static func answer(_ path: String = "/", port: Int) async -> String? {
    let request = "GET \(path) HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"
    guard let client = try? await connect(port: port, sending: request) else { return nil }
    defer { client.close() }
    return await client.ends() ? client.text : nil
  }
}

private final class Recorder: Sendable {
  let value = Mutex(WireClient.Seen())
}

private final class RecorderHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let recorder: Recorder
  private let first: String

  init(_ recorder: Recorder, sending first: String) {
    self.recorder = recorder
    self.first = first
  }

  func channelActive(context: ChannelHandlerContext) {
    if !first.isEmpty { context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: first)), promise: nil) }
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    recorder.value.withLock { $0.text += String(buffer: unwrapInboundIn(data)) }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case ChannelEvent.inputClosed? = event as? ChannelEvent { recorder.value.withLock { $0.ended = true } }
    context.fireUserInboundEventTriggered(event)
  }

  func channelInactive(context: ChannelHandlerContext) { recorder.value.withLock { $0.ended = true } }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    recorder.value.withLock {
      $0.error = "\(error)"
      $0.ended = true
    }
    context.close(promise: nil)
  }
}
