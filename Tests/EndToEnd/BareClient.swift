import Foundation
import NIOCore
import NIOPosix

/// One keep-alive connection and no HTTP library: what came back for a request, as seen from the wire.
struct BareClient {
  enum Ending: Equatable {
    case answered(status: String, id: String?, announcedClose: Bool, rightLength: Bool)
    case closedBeforeByte
    case cutShort
    case reset
    /// The connection was known to be closed before the request could be written.
    case notSent
  }

  static func right(id: String, announcedClose: Bool = false) -> Ending {
    .answered(status: "200 OK", id: id, announcedClose: announcedClose, rightLength: true)
  }

  /// Sends the requests one after the other, reconnecting only where the connection has ended, and says how each ended.
  static func send(_ ids: [String], port: Int) async throws -> [Ending] {
    var endings: [Ending] = []
    while endings.count < ids.count {
      let rest = ids[endings.count...]
      endings += try await onOneConnection(rest, port: port)
    }
    return endings
  }

  private static func onOneConnection(_ ids: ArraySlice<String>, port: Int) async throws -> [Ending] {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .connect(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      var endings: [Ending] = []
      var bytes = inbound.makeAsyncIterator()
      for id in ids {
        let ending = try await exchange(id, &bytes, outbound)
        endings.append(ending)
        guard case .answered(_, _, announcedClose: false, _) = ending else { break }
      }
      return endings
    }
  }

  private static func exchange(
    _ id: String, _ bytes: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async throws -> Ending {
    do {
      try await outbound.write(ByteBuffer(string: "GET /?n=1 HTTP/1.1\r\nHost: test\r\nX-Request-Id: \(id)\r\n\r\n"))
    } catch {
      return .notSent
    }
    do {
      return try await read(&bytes)
    } catch is IOError {
      return .reset
    }
  }

  private static func read(
    _ bytes: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  ) async throws -> Ending {
    var text = ""
    while let more = try await bytes.next() {
      text += String(buffer: more)
      guard let end = text.range(of: "\r\n\r\n") else { continue }
      let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
      let fields = lines.dropFirst().map { $0.components(separatedBy: ": ") }
      func field(_ name: String) -> String? { fields.first { $0[0] == name }?[1] }
      guard let length = field("Content-Length").flatMap({ Int($0) }) else { return .cutShort }
      let body = text[end.upperBound...].utf8.count
      if body >= length {
        return .answered(
          status: String(lines[0].dropFirst("HTTP/1.1 ".count)), id: field("X-Request-Id"),
          announcedClose: field("Connection") == "close", rightLength: length == "a right answer\n".utf8.count)
      }
    }
    return text.isEmpty ? .closedBeforeByte : .cutShort
  }
}
