import CGracefulSystem
import GracefulProcesses
import NIOCore
import NIOHTTP1
import NIOPosix
import SystemPackage

/// A stand-in for `graceful demo` in the tests of the rehearsal: it says and answers the same, hands over crudely, and
/// misbehaves as the variable `STAND_IN` tells it.
///
/// Two generations listen on one port at once (SO_REUSEPORT), and the successor ends its predecessor with SIGTERM. That
/// loses what waits in the predecessor's queue, which is the point: it is no better than it says.
enum RestartableServer {
  /// What it does wrong: `fails` and `mute` as a successor, `stays` as a predecessor, `dies` after a while.
  static let fault = OwnEnvironment.value("STAND_IN")

  /// SO_REUSEPORT, which NIO does not name.
  static let reusePort = NIOBSDSocket.Option(rawValue: 15)

  static func main() async throws {
    let arguments = TestProgram.arguments
    guard let index = arguments.firstIndex(of: "--socket"), arguments.indices.contains(index + 1) else { return }
    let path = FilePath(arguments[index + 1])
    let before = read(path)
    if before != nil, fault == "fails" { cgs_exit_now(3) }
    if before == nil, fault == "stays" { _ = cgs_signal_ignore(15) }
    if before != nil, OwnEnvironment.value("GRACEFUL_REHEARSAL_PAUSE") == "1" {
      say("paused pid \(ProcessID.current)")
      await forever()
    }
    let generation = (before?.generation ?? 0) + 1
    let body = "generation \(generation) pid \(ProcessID.current)\n"
    let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .serverChannelOption(.socketOption(reusePort), value: 1)
      .serverChannelOption(.backlog, value: 256)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(Answerer(body: body, dies: fault == "dies"))
        }
      }
      .bind(host: "127.0.0.1", port: before?.port ?? 0).get()
    let port = channel.localAddress?.port ?? 0
    if before != nil, fault == "mute" { await forever() }
    try write("\(port) \(generation) \(ProcessID.current)", to: path)
    say("serving http://127.0.0.1:\(port) generation \(generation) pid \(ProcessID.current)")
    if let before { _ = cgs_kill(before.pid, 15) }
    await forever()
  }

  static func read(_ path: FilePath) -> (port: Int, generation: Int, pid: Int32)? {
    guard let file = try? FileDescriptor.open(path, .readOnly) else { return nil }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
    let words = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ")
    guard words.count == 3, let port = Int(words[0]), let generation = Int(words[1]), let pid = Int32(words[2]) else {
      return nil
    }
    return (port, generation, pid)
  }

  static func write(_ text: String, to path: FilePath) throws {
    let file = try FileDescriptor.open(
      path, .writeOnly, options: [.create, .truncate], permissions: [.ownerRead, .ownerWrite])
    try file.closeAfter { _ = try file.writeAll(text.utf8) }
  }

  static func say(_ line: String) { _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8) }

  /// Until a signal comes.
  static func forever() async {
    await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
  }
}

/// The environment without Foundation.
enum OwnEnvironment {
  static func value(_ name: String) -> String? {
    guard let file = try? FileDescriptor.open("/proc/self/environ", .readOnly) else { return nil }
    defer { try? file.close() }
    var all: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 65536)
    while let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
      all += bytes[..<count]
    }
    for assignment in all.split(separator: 0) {
      let text = String(decoding: assignment, as: UTF8.self)
      if text.hasPrefix("\(name)=") { return String(text.dropFirst(name.count + 1)) }
    }
    return nil
  }
}

final class Answerer: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart
  private let body: String
  private let dies: Bool
  private var id: String?

  init(body: String, dies: Bool) {
    self.body = body
    self.dies = dies
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): id = head.headers.first(name: "x-request-id")
    case .body: break
    case .end:
      // Not before the rehearsal's own clients have come, so that it dies during the run and not before it.
      if dies, id?.hasSuffix("-20") == true { cgs_exit_now(9) }
      var headers: HTTPHeaders = ["Content-Length": "\(body.utf8.count)"]
      if let id { headers.add(name: "X-Request-Id", value: id) }
      context.write(
        wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers))), promise: nil)
      context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
