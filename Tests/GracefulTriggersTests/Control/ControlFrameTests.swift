import Exploration
import TestHost
import Testing

@testable import GracefulTriggers

@Suite("What is in a frame of the control socket", .valuesOnly)
struct ControlFrameTests {
  static let requests: [ControlRequest] = [
    .status(every: nil), .status(every: .milliseconds(1)), .status(every: .seconds(3600)), .restart, .plan,
    .stop(.init()), .stop(.init(waits: false)), .stop(.init(progress: .milliseconds(200), now: true, why: "")),
    .stop(.init(why: "ein Grund, größer als keiner 🪦")),
  ]
  static let answers: [ControlAnswer] = [
    .serving(process: 4711, generation: 0), .serving(process: .max, generation: .max), .refused(.busy, "later"),
    .refused(.init(rawValue: 999), ""), .accepted, .part([]), .part([0, 255, 7]), .whole,
    .stopped(exitCode: 0, summary: "clean"), .stopped(exitCode: -1, summary: ""),
    .stopped(exitCode: 124, summary: "http\u{0}"), .restarted(process: 9), .failed("no successor"),
  ]

  @Test("is read as it was written")
  func roundTrip() throws {
    for request in Self.requests {
      let (type, payload) = request.frame
      #expect(try ControlRequest(type: type, payload: payload) == request)
      #expect(throws: ControlFrameError.unknown(type: type)) { try ControlAnswer(type: type, payload: payload) }
    }
    for answer in Self.answers {
      let (type, payload) = answer.frame
      #expect(try ControlAnswer(type: type, payload: payload) == answer)
      #expect(throws: ControlFrameError.unknown(type: type)) { try ControlRequest(type: type, payload: payload) }
    }
  }

  @Test("cut short or with something behind it, is refused", arguments: Self.requests)
  func cutRequests(request: ControlRequest) {
    let (type, payload) = request.frame
    for count in 0..<payload.count {
      #expect(throws: ControlFrameError.malformed(type: type)) {
        try ControlRequest(type: type, payload: Array(payload.prefix(count)))
      }
    }
    #expect(throws: ControlFrameError.malformed(type: type)) { try ControlRequest(type: type, payload: payload + [0]) }
  }

  @Test("of an answer, too", arguments: Self.answers)
  func cutAnswers(answer: ControlAnswer) {
    if case .part = answer { return }
    let (type, payload) = answer.frame
    for count in 0..<payload.count {
      #expect(throws: ControlFrameError.malformed(type: type)) {
        try ControlAnswer(type: type, payload: Array(payload.prefix(count)))
      }
    }
    #expect(throws: ControlFrameError.malformed(type: type)) { try ControlAnswer(type: type, payload: payload + [0]) }
  }

  @Test("with flags that nobody knows, or a text that is not UTF-8, is refused")
  func strange() {
    let wrong: [[UInt8]] = [
      [4, 0, 0, 0, 0, 0, 0], [255, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 2, 0xC3, 0x28],
      [1, 0, 0, 0, 0, 255, 255],
    ]
    for payload in wrong {
      #expect(throws: ControlFrameError.malformed(type: 65)) { try ControlRequest(type: 65, payload: payload) }
    }
    for type: UInt16 in [0, 1, 10, 63, 68, 79, 80, .max] {
      #expect(throws: ControlFrameError.unknown(type: type)) { try ControlRequest(type: type, payload: []) }
    }
  }

  @Test("is cut to 1024 bytes at the border of a character, and an interval to what there is room for")
  func long() throws {
    let request = ControlRequest.stop(
      .init(progress: .seconds(1 << 40), why: String(repeating: "a", count: 1023) + "ü"))
    let (type, payload) = request.frame
    let expected = ControlRequest.stop(
      .init(progress: .milliseconds(Int64(UInt32.max)), why: String(repeating: "a", count: 1023)))
    #expect(try ControlRequest(type: type, payload: payload) == expected)
    for every in [Duration.zero, .seconds(-1), .nanoseconds(1)] {
      let (type, payload) = ControlRequest.status(every: every).frame
      #expect(try ControlRequest(type: type, payload: payload) == .status(every: .milliseconds(1)))
    }
  }

  @Test("of a long document is in parts that fit into a frame each, and is the document again")
  func documents() throws {
    for length in [0, 1, ControlAnswer.partLength, ControlAnswer.partLength + 1, 200_000] {
      let text = String(repeating: "x", count: length)
      let answers = ControlAnswer.document(text)
      #expect(answers.last == .whole)
      var bytes: [UInt8] = []
      for case .part(let part) in answers {
        #expect(part.count <= ControlAnswer.partLength)
        bytes += part
      }
      #expect(String(decoding: bytes, as: UTF8.self) == text)
    }
  }

  @Test("never traps, whatever is in it: 200,000 of them at random")
  func random() {
    var random = SplitMix64(seed: 0x636f_6e74_726f_6c21)
    var understood = 0
    for _ in 0..<200_000 {
      let isNoise = Bool.random(using: &random)
      var (type, payload): (UInt16, [UInt8]) =
        Bool.random(using: &random)
        ? (Self.requests.randomElement(using: &random) ?? .plan).frame
        : (Self.answers.randomElement(using: &random) ?? .whole).frame
      if isNoise {
        payload = (0..<Int.random(in: 0...40, using: &random)).map { _ in .random(in: .min ... .max, using: &random) }
      }
      if let place = payload.indices.randomElement(using: &random) {
        payload[place] = .random(in: 0...255, using: &random)
      }
      payload = Array(payload.prefix(Int.random(in: 0...(payload.count + 1), using: &random)))
      if (try? ControlRequest(type: type, payload: payload)) != nil { understood += 1 }
      if (try? ControlAnswer(type: type, payload: payload)) != nil { understood += 1 }
      type = 0
    }
    // Otherwise this has tried nothing.
    #expect(understood > 10_000)
  }
}
