import Exploration
import TestHost
import Testing

@testable import GracefulHandover

@Suite("A frame decoder", .valuesOnly)
struct FrameDecoderTests {
  private static let preamble = Preamble(purpose: .handover, program: "tëst")
  private static let stream = preamble.encoded + FrameTests.messages.flatMap { Frame($0).encoded }
  private static let outputs: [FrameDecoder.Output] =
    [.preamble(preamble)] + FrameTests.messages.map { .frame(Frame($0)) }

  @Test("gives the same whatever the place at which the stream was split")
  func splitEverywhere() throws {
    let head = Self.stream.prefix(700)
    var whole = FrameDecoder()
    whole.append(Array(head))
    let expected = try whole.all()
    #expect(expected.count > 5)
    for place in 0...head.count {
      var decoder = FrameDecoder()
      decoder.append(Array(head.prefix(place)))
      var found = try decoder.all()
      decoder.append(Array(head.dropFirst(place)))
      found += try decoder.all()
      #expect(found == expected, "split at \(place)")
    }
  }

  @Test("gives the same when the bytes come one by one")
  func byteByByte() throws {
    var decoder = FrameDecoder()
    var found: [FrameDecoder.Output] = []
    for byte in Self.stream {
      decoder.append([byte])
      found += try decoder.all()
    }
    #expect(found == Self.outputs)
  }

  @Test("tells a stranger at the first wrong byte, wherever it is", arguments: 0..<8)
  func wrongMagic(place: Int) {
    var bytes = Array(Preamble.magic.prefix(place + 1))
    bytes[place] ^= 0x20
    var decoder = FrameDecoder()
    decoder.append(bytes)
    #expect(throws: FrameDecoder.Malformed.notGraceful) { try decoder.next() }
    decoder.append(Self.stream)
    #expect((try? decoder.next()) == .some(nil), "nothing is taken after it")
  }

  @Test("refuses what speaks HTTP or TLS at once", arguments: ["HTTP/1.1 400", "GET / HTTP/1.1", "\u{16}\u{03}\u{01}"])
  func strangers(text: String) {
    var decoder = FrameDecoder()
    decoder.append(Array(text.utf8))
    #expect(throws: FrameDecoder.Malformed.notGraceful) { try decoder.next() }
  }

  @Test("refuses the announcement of 2^32-1 bytes of text or of payload before they come")
  func announcements() {
    var decoder = FrameDecoder()
    decoder.append(Preamble.magic + [0, 1, 0, 1, 255, 255, 255, 255])
    #expect(throws: FrameDecoder.Malformed.textTooLong(.max)) { try decoder.next() }

    decoder = .afterPreamble()
    decoder.append([0, 9, 0, 0, 255, 255, 255, 255])
    #expect(throws: FrameDecoder.Malformed.frameTooLong(type: 9, length: .max)) { try decoder.next() }
  }

  @Test("takes the longest text and the longest payload, and refuses one byte more")
  func bounds() throws {
    var decoder = FrameDecoder()
    let longest = Preamble(purpose: .handover, program: String(repeating: "p", count: Preamble.textLimit))
    decoder.append(longest.encoded)
    #expect(try decoder.next() == .preamble(longest))
    let frame = Frame(type: 77, payload: [UInt8](repeating: 1, count: Frame.payloadLimit))
    decoder.append(frame.encoded)
    #expect(try decoder.next() == .frame(frame))
    decoder.append(Frame(type: 77, payload: [UInt8](repeating: 1, count: Frame.payloadLimit + 1)).encoded)
    #expect(throws: FrameDecoder.Malformed.frameTooLong(type: 77, length: UInt32(Frame.payloadLimit + 1))) {
      try decoder.next()
    }
    decoder = FrameDecoder()
    decoder.append(Preamble.magic + [0, 1, 0, 1, 0, 0, 1, 1])
    #expect(throws: FrameDecoder.Malformed.textTooLong(257)) { try decoder.next() }
  }

  @Test("refuses a preamble whose text is not UTF-8")
  func notUTF8() {
    var decoder = FrameDecoder()
    decoder.append(Preamble.magic + [0, 1, 0, 1, 0, 0, 0, 2, 0xC3, 0x28])
    #expect(throws: FrameDecoder.Malformed.textNotUTF8) { try decoder.next() }
  }

  @Test("keeps a version and a purpose that it does not know, so that they can be answered")
  func unknownNumbers() throws {
    let strange = Preamble(version: 65_535, purpose: .init(rawValue: 4711), program: "later")
    var decoder = FrameDecoder()
    decoder.append(strange.encoded)
    #expect(try decoder.next() == .preamble(strange))
  }

  @Test("cuts its own program's name at the border of a character, so that the other side can read it")
  func longName() throws {
    var decoder = FrameDecoder()
    decoder.append(Preamble(purpose: .handover, program: String(repeating: "a", count: 255) + "ü").encoded)
    #expect(
      try decoder.next() == .preamble(Preamble(purpose: .handover, program: String(repeating: "a", count: 255))))
  }

  @Test("never traps on 100,000 random inputs, and never holds more than one frame")
  func random() {
    var random = SplitMix64(seed: 0x6772_6163_6566_756c)
    let bound = Frame.headerLength + Frame.payloadLimit
    var malformed = 0
    var frames = 0
    var largest = 0
    for _ in 0..<100_000 {
      var decoder = Bool.random(using: &random) ? FrameDecoder() : .afterPreamble()
      var failed = false
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        decoder.append(Self.chunk(&random))
        do {
          for case .frame(let frame) in try decoder.all() {
            frames += 1
            _ = frame.message()
          }
        } catch {
          failed = true
        }
        largest = max(largest, decoder.held)
      }
      if failed {
        malformed += 1
        if decoder.held != 0 { Issue.record("holds \(decoder.held) bytes after it failed") }
      }
    }
    #expect(largest < bound)
    // Otherwise this has tried nothing.
    #expect(malformed > 10_000)
    #expect(frames > 10_000)
  }

  /// Those of the handover, those of the control socket, and what is beside them.
  private static let types = Array(UInt16(0)...12) + Array(60...90) + [.max]

  /// Pieces of what is right, with pieces of what is wrong between them.
  private static func chunk(_ random: inout SplitMix64) -> [UInt8] {
    let noise = (0..<Int.random(in: 0...24, using: &random)).map { _ in UInt8.random(in: .min ... .max, using: &random)
    }
    switch Int.random(in: 0..<6, using: &random) {
    case 0: return noise
    case 1: return Preamble.magic + noise
    case 2: return Preamble(version: 1, purpose: .control, program: "x").encoded + noise
    case 3: return Frame(type: types.randomElement(using: &random) ?? 0, payload: noise).encoded
    case 4:
      var bytes = Frame(FrameTests.messages.randomElement(using: &random) ?? .offered).encoded
      if let place = bytes.indices.randomElement(using: &random) { bytes[place] = .random(in: 0...255, using: &random) }
      return bytes
    default:
      let length =
        Int.random(in: 0..<100, using: &random) == 0 ? Int.random(in: 0...70_000, using: &random) : noise.count
      return Frame(type: 3, payload: [UInt8](repeating: 1, count: length)).encoded.dropLast(noise.count)
    }
  }
}
