internal import GracefulDescriptors
internal import GracefulJSON
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import SystemPackage

/// One request to a program's HTTP endpoint, on a connection of its own.
enum ProgramHTTP {
  struct Answer: Equatable {
    var status: Int
    var body: String
    /// Whose it is, where it came over a Unix socket.
    var process: Int32?
  }

  /// More than a hundred thousand phases.
  private static let longestBody = 64 * 1024 * 1024

  static func get(
    _ url: ProgramURL, _ path: String, token: String?, within limit: Duration
  ) throws(CommandFailure) -> Answer {
    try send(.GET, url, url.path.isEmpty ? path : url.path, token: token, within: limit)
  }

  /// - Throws: 69 when no program is there, or none that speaks HTTP, or when its connection ended before the answer, 77 when this user may not connect, 124 when there is no answer in time.
  static func send(
    _ method: HTTPMethod, _ url: ProgramURL, _ path: String, token: String?, within limit: Duration,
    connected: (WatchedProcess?) -> Void = { _ in }
  ) throws(CommandFailure) -> Answer {
    var headers: HTTPHeaders = ["Host": url.authority, "Connection": "close", "User-Agent": "graceful"]
    if method == .POST { headers.add(name: "Content-Length", value: "0") }
    if let token { headers.add(name: "Authorization", value: "Bearer \(token)") }
    let head = HTTPRequestHead(version: .http1_1, method: method, uri: path, headers: headers)

    let deadline = NIODeadline.now() + TimeAmount(limit)
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let answer = loop.makePromise(of: Answer.self)
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(TimeAmount(limit)).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture {
        try channel.pipeline.syncOperations.addHTTPClientHandlers()
        try channel.pipeline.syncOperations.addHandler(
          ProgramHTTPHandler(head, longest: longestBody, by: deadline, answer))
      }
    }
    do {
      switch url.address {
      case .internet(let host, let port): _ = try bootstrap.connect(host: host, port: port).wait()
      case .unix(let path):
        let (socket, process) = try connect(path)
        connected(process)
        _ = try bootstrap.withConnectedSocket(socket).wait()
      }
    } catch let failure as CommandFailure {
      answer.fail(failure)
      throw failure
    } catch {
      let failure = refused(url, error)
      answer.fail(failure)
      throw failure
    }
    do { return try answer.futureResult.wait() } catch let failure as CommandFailure { throw failure } catch {
      throw .failed("\(url): \(error)")
    }
  }

  /// Here and not by NIO, because the socket must be asked which process it is.
  private static func connect(_ path: String) throws(CommandFailure) -> (Int32, WatchedProcess?) {
    let calls = SocketCalls.live
    let number = calls.unixSocket()
    guard number >= 0 else { throw .failed("socket(AF_UNIX) failed: \(Errno(rawValue: -number))") }
    let socket = OwnedDescriptor(adopting: FileDescriptor(rawValue: number))
    let connected = calls.connect(number, path)
    guard connected >= 0 else {
      switch Errno(rawValue: -connected) {
      case .permissionDenied, .notPermitted: throw .notAllowed("user \(ThisProcess.user) may not connect to \(path)")
      case let errno: throw .nobody("nobody answers at \(path): \(errno)")
      }
    }
    guard let peer = try? calls.peer(number).get(), peer.process > 0 else { return (socket.release().rawValue, nil) }
    guard peer.user == ThisProcess.user || peer.user == 0 || ThisProcess.user == 0 else {
      throw .notAllowed("who answers at \(path) is user \(peer.user), and not this user or root; nothing was asked")
    }
    let pidfd = calls.peerProcess(number)
    let shared = pidfd >= 0 ? SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: pidfd))) : nil
    return (socket.release().rawValue, WatchedProcess(peer.process, pidfd: shared))
  }

  private static func refused(_ url: ProgramURL, _ error: any Error) -> CommandFailure {
    switch (error as? IOError).map({ Errno(rawValue: $0.errnoCode) }) {
    case .permissionDenied, .notPermitted: .notAllowed("may not connect to \(url)")
    default: .nobody("nobody answers at \(url): \(error)")
    }
  }
}

extension ProgramHTTP.Answer {
  /// What it says is wrong; without that, the beginning of what it says.
  var words: String {
    struct Problem: Decodable { var error: String }
    let problem = try? JSON.decode(Problem.self, from: body)
    return String((problem?.error ?? body).prefix(500)).shown
  }

  /// Why it is not what was asked for.
  func failure(of url: ProgramURL) -> CommandFailure {
    switch status {
    case 401, 403: return .notAllowed("\(url) refuses: \(words)")
    case 404, 405: return .nobody("\(url) does not answer this (\(status)): \(words)")
    default: return .failed("\(url) answered \(status): \(words)")
    }
  }
}

private final class ProgramHTTPHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  typealias OutboundOut = HTTPClientRequestPart

  private let head: HTTPRequestHead
  private let longest: Int
  private let deadline: NIODeadline
  private let answer: EventLoopPromise<ProgramHTTP.Answer>
  private var timer: Scheduled<Void>?
  private var status = 0
  private var body = ByteBuffer()

  init(
    _ head: HTTPRequestHead, longest: Int, by deadline: NIODeadline, _ answer: EventLoopPromise<ProgramHTTP.Answer>
  ) {
    self.head = head
    self.longest = longest
    self.deadline = deadline
    self.answer = answer
  }

  func handlerAdded(context: ChannelHandlerContext) {
    if context.channel.isActive { ask(context) }
  }

  func channelActive(context: ChannelHandlerContext) {
    ask(context)
    context.fireChannelActive()
  }

  private func ask(_ context: ChannelHandlerContext) {
    guard timer == nil else { return }
    timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
      self.fail(.late("no answer came in time"), context)
    }
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): status = Int(head.status.code)
    case .body(var part):
      body.writeBuffer(&part)
      if body.readableBytes > longest { fail(.failed("the answer is longer than 64 MiB"), context) }
    case .end:
      timer?.cancel()
      answer.succeed(ProgramHTTP.Answer(status: status, body: String(buffer: body)))
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    fail(.lost("the connection ended before the answer"), context)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Reset, or the end in the middle of an answer: it has gone.
    if error is IOError || error as? HTTPParserError == .invalidEOFState {
      return fail(.lost("the connection ended before the answer: \(error)"), context)
    }
    fail(.nobody("what answers there does not speak HTTP: \(error)"), context)
  }

  private func fail(_ failure: CommandFailure, _ context: ChannelHandlerContext) {
    timer?.cancel()
    // The first word counts.
    answer.fail(failure)
    context.close(promise: nil)
  }
}
