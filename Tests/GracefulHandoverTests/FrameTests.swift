import Testing

@testable import GracefulHandover

@Suite("A frame")
struct FrameTests {
  static let messages: [Message] = [
    .refused(.busy, "a handover is going on"), .refused(Message.Refusal(rawValue: 65_535), ""),
    .welcome(process: 0, generation: 0, descriptors: 0),
    .welcome(process: .max, generation: .max, descriptors: .max),
    .descriptors([]),
    .descriptors([DescriptorLabel(name: "", metadata: [])]),
    .descriptors([
      DescriptorLabel(name: "http", metadata: [0, 255, 1]),
      DescriptorLabel(name: String(repeating: "ü", count: 127), metadata: [UInt8](repeating: 7, count: 4096)),
    ]),
    .offered, .ready, .commit, .acknowledge, .released,
    .abort("grüße, \u{1F44B}\u{0}"), .unknown(type: 0), .unknown(type: .max),
  ]

  @Test("says the same message after the wire as before", arguments: messages)
  func roundTrip(message: Message) throws {
    let sent = Frame(message)
    var decoder = FrameDecoder.afterPreamble()
    decoder.append(sent.encoded)
    #expect(try decoder.next() == .frame(sent))
    #expect(sent.message() == .message(message))
    #expect(try decoder.next() == nil)
  }

  @Test("has its type and its length in network byte order, and zeros where it is reserved")
  func layout() {
    #expect(Frame(.unknown(type: 0x0102)).encoded == [0, 10, 0, 0, 0, 0, 0, 2, 1, 2])
    #expect(Frame(type: 0xFFEE, payload: [9]).encoded == [0xFF, 0xEE, 0, 0, 0, 0, 0, 1, 9])
  }

  @Test("of a type that is not known keeps its number", arguments: [0, 11, 12, 256, 65_535] as [UInt16])
  func unknownType(type: UInt16) throws {
    var decoder = FrameDecoder.afterPreamble()
    decoder.append(Frame(type: type, payload: [1, 2, 3]).encoded)
    guard case .frame(let frame)? = try decoder.next() else { throw Unexpected() }
    #expect(frame.message() == .unknownType(type))
  }

  @Test("with bytes left over in its payload is no message", arguments: messages)
  func trailing(message: Message) {
    var frame = Frame(message)
    frame.payload.append(0)
    #expect(frame.message() == nil)
  }

  @Test("whose payload ends too early is no message", arguments: messages)
  func tooShort(message: Message) {
    let whole = Frame(message)
    for length in 0..<whole.payload.count {
      #expect(Frame(type: whole.type, payload: Array(whole.payload.prefix(length))).message() == nil)
    }
  }

  @Test("with text that is not UTF-8 is no message")
  func notUTF8() {
    #expect(Frame(type: 9, payload: [0, 2, 0xC3, 0x28]).message() == nil)
    #expect(Frame(type: 1, payload: [0, 1, 0, 1, 0xFF]).message() == nil)
    #expect(Frame(type: 3, payload: [0, 1, 0, 1, 0xFF, 0, 0]).message() == nil)
  }

  @Test("cuts a text that is too long at the border of a character")
  func longText() {
    let text = String(repeating: "a", count: 1023) + "ü"
    #expect(Frame(.abort(text)).message() == .message(.abort(String(repeating: "a", count: 1023))))
  }

  @Test("that announces 65,535 labels and has none is no message, and costs nothing")
  func manyLabels() {
    #expect(Frame(type: 3, payload: [0xFF, 0xFF]).message() == nil)
  }

  @Test("carries 252 labels of the longest name and some metadata within its bound")
  func fullMessage() {
    let labels = (0..<252).map { DescriptorLabel(name: "\($0)" + String(repeating: "n", count: 252)) }
    #expect(Frame(.descriptors(labels)).payload.count <= Frame.payloadLimit)
  }
}

struct Unexpected: Error {}

extension FrameDecoder {
  /// A decoder that has seen a preamble.
  static func afterPreamble() -> FrameDecoder {
    var decoder = FrameDecoder()
    decoder.append(Preamble(purpose: .handover, program: "test").encoded)
    _ = try? decoder.next()
    return decoder
  }

  /// Everything that can be had of what has been appended.
  mutating func all() throws(Malformed) -> [Output] {
    var outputs: [Output] = []
    while let output = try next() { outputs.append(output) }
    return outputs
  }
}
