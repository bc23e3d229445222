import Dispatch
import Foundation
import NIOCore
import NIOPosix

/// A server that fails on purpose and counts what it did: the independent check of the rehearsal's counting.
///
/// Nothing of ours is in it, and no HTTP library: bytes by hand on NIO channels.
///
///     FaultyServer --listen 127.0.0.1:0 --close-every 1000 --cut-every 700 --tally tally.json
///
/// `SIGTERM` ends it at once, with the tally written.
@main struct FaultyServer {
  static func main() async throws {
    let options: Options
    do {
      options = try Options(Array(CommandLine.arguments.dropFirst()))
    } catch {
      FileHandle.standardError.write(Data("FaultyServer: \(error.message)\n".utf8))
      exit(64)
    }
    // Before the line that says that it serves: its reader may ask for the end at once.
    let (stops, stop) = AsyncStream<Void>.makeStream()
    let sources = [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { @Sendable in stop.yield() }
      source.activate()
      return source
    }

    let tally = Tally(every: options.every)
    let file = try options.tallyPath.map { try TallyFile(path: $0, tally: tally) }
    let delay = TimeAmount.milliseconds(options.delayMilliseconds)
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            ConnectionHandler(tally: tally, delay: delay, spared: options.spared))
        }
      }
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
    let listener: any Channel
    do {
      listener = try await bootstrap.bind(host: options.host, port: options.port).get()
    } catch {
      FileHandle.standardError.write(
        Data("FaultyServer: cannot listen on \(options.host):\(options.port): \(error)\n".utf8))
      exit(71)
    }
    let port = listener.localAddress?.port ?? options.port
    let host = options.host.contains(":") ? "[\(options.host)]" : options.host
    FileHandle.standardOutput.write(Data("serving http://\(host):\(port)\n".utf8))

    for await _ in stops { break }
    for source in sources { source.cancel() }
    try await listener.close()
    // A client can see a close, and have us ended for it, before the loop that did it has counted it: each loop finishes
    // what it is at, and what that has put into its queue.
    for _ in 1...2 {
      for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try await loop.submit {}.get() }
    }
    try file?.finish()
    exit(0)
  }
}
