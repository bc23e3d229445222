import Exploration
import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestHost
import Testing

@testable import GracefulNIO

/// Feeds a decoder through a cut, with whole reads as they come, and records after which byte each request ended.
private final class CutReader {
  private var channel = EmbeddedChannel()
  /// A parser that had swallowed a byte of the next request would then read on differently.
  private let takesFreshParsers: Bool
  private var cut = RequestCut()
  private var held: [UInt8] = []
  private var given = 0
  private(set) var ends: [Int] = []
  private(set) var bodies: [String] = [""]
  private(set) var disagreement: RequestCut.Disagreement?
  private(set) var failed = false

  init(takesFreshParsers: Bool = false) throws {
    self.takesFreshParsers = takesFreshParsers
    try addParser()
  }

  private func addParser() throws {
    channel = EmbeddedChannel()
    try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
  }

  func read(_ bytes: some Sequence<UInt8>) throws {
    held += bytes
    while !held.isEmpty, !failed {
      let taken = held.withUnsafeBytes { cut.take(from: $0) }
      #expect(taken > 0)
      let piece = ByteBuffer(bytes: held.prefix(taken))
      held.removeFirst(taken)
      given += taken
      do { try channel.writeInbound(piece) } catch { failed = true }
      while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
        // Nothing may come behind the end of a request in one piece.
        #expect(ends.last != given)
        switch part {
        case .head(let head): cut.headDelivered(RequestHead.framing(head))
        case .body(let body): bodies[bodies.count - 1] += String(buffer: body)
        case .end:
          disagreement = disagreement ?? cut.endDelivered()
          ends.append(given)
          bodies.append("")
        }
      }
      disagreement = disagreement ?? cut.checkAfterParsing()
      if takesFreshParsers, ends.last == given, !failed { try addParser() }
    }
  }
}

private let requests: [(text: String, body: String)] = [
  ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ""),
  ("GET /nothing HTTP/1.1\r\n\r\n", ""),
  ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab\n\nc", "ab\n\nc"),
  ("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", ""),
  ("PUT / HTTP/1.1\r\nContent-Length:   4  \r\n\r\n\r\n\r\n", "\r\n\r\n"),
  ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n6\r\na\r\n\r\nb\r\n2\r\n\n\n\r\n0\r\n\r\n", "a\r\n\r\nb\n\n"),
  ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\nabc\r\n0\r\nDigest: x\r\nA: b\r\n\r\n", "abc"),
  ("DELETE /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ""),
]

@Suite("Where one request ends", .valuesOnly)
struct RequestCutTests {
  /// The three requests that follow each other, and after which byte each ends.
  private static func stream(_ indices: [Int]) -> (bytes: [UInt8], ends: [Int], bodies: [String]) {
    var bytes: [UInt8] = []
    var ends: [Int] = []
    for index in indices {
      bytes += Array(requests[index].text.utf8)
      ends.append(bytes.count)
    }
    return (bytes, ends, indices.map { requests[$0].body })
  }

  @Test("Each pair of requests, cut into two reads at every byte, ends where it ends")
  func pairsSplitEverywhere() throws {
    for first in requests.indices {
      for second in requests.indices {
        let (bytes, ends, bodies) = Self.stream([first, second])
        for split in 0...bytes.count {
          let reader = try CutReader()
          try reader.read(bytes[..<split])
          try reader.read(bytes[split...])
          #expect(reader.ends == ends, "\(first), \(second) split at \(split)")
          #expect(reader.bodies.dropLast() == bodies[...])
          #expect(reader.disagreement == nil)
        }
      }
    }
  }

  @Test("All requests in one read, and byte by byte, end where they end")
  func allTogether() throws {
    let (bytes, ends, bodies) = Self.stream(Array(requests.indices))
    let whole = try CutReader()
    try whole.read(bytes)
    let slow = try CutReader()
    for byte in bytes { try slow.read([byte]) }
    for reader in [whole, slow] {
      #expect(reader.ends == ends)
      #expect(reader.bodies.dropLast() == bodies[...])
      #expect(reader.disagreement == nil)
    }
  }

  @Test("Random requests in random reads end where they end", arguments: 0..<300 as Range<UInt64>)
  func randomReads(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let (bytes, ends, bodies) = Self.stream((0..<6).map { _ in Int.random(in: requests.indices, using: &random) })
    let reader = try CutReader()
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Int.random(in: 1...min(rest.count, 60), using: &random)
      try reader.read(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    #expect(reader.ends == ends)
    #expect(reader.bodies.dropLast() == bodies[...])
  }

  @Test(
    "Whatever bytes come, the parser never has more than one request in its hands", arguments: 0..<300 as Range<UInt64>)
  func randomBytes(seed: UInt64) throws {
    var random = SplitMix64(seed: seed)
    let pieces = [
      "GET / HTTP/1.1", "\r\n", "\n", "\r", "\r\n\r\n", "\n\n", "Host: a", "Transfer-Encoding: chunked",
      "Content-Length: 3",
      "0\r\n", "3\r\nabc\r\n", "abc", " ", ":", "GET / HTTP/1.1\r\n\r\n",
      "POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n",
    ]
    let text = (0..<30).map { _ in pieces.randomElement(using: &random) ?? "" }.joined()
    for prefix in ["", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"] {
      let one = try CutReader()
      let fresh = try CutReader(takesFreshParsers: true)
      for reader in [one, fresh] { try reader.read((prefix + text).utf8) }
      // Behind a request that asks for the close the old parser takes nothing, and the fresh one knows nothing of it.
      #expect(fresh.ends.starts(with: one.ends) && fresh.bodies.starts(with: one.bodies.dropLast()))
      #expect(one.failed || one.ends == fresh.ends)
    }
  }

  @Test("A request that ends before its counted bytes are used up is noticed")
  func endedEarly() {
    var cut = RequestCut()
    _ = Array("GET / HTTP/1.1\r\n\r\n".utf8).withUnsafeBytes { cut.take(from: $0) }
    cut.headDelivered(.length(3))
    #expect(cut.remainingBody == 3)
    #expect(cut.endDelivered() == .endedEarly(remaining: 3))
  }

  @Test("A request that has not ended when its counted bytes are used up is noticed")
  func endedLate() {
    var cut = RequestCut()
    _ = Array("POST / HTTP/1.1\r\n\r\n".utf8).withUnsafeBytes { cut.take(from: $0) }
    cut.headDelivered(.length(2))
    let taken = Array("abcd".utf8).withUnsafeBytes { cut.take(from: $0) }
    #expect(taken == 2)
    #expect(cut.checkAfterParsing() == .endedLate)
  }
}
