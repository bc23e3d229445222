import Exploration
import Foundation
import Testing

@testable import GracefulJSON

/// Text from values, held against Foundation's encoder, whose text earlier versions of the reports had.
@Suite("JSON from a value", .timeLimit(.minutes(1)))
struct JSONTextTests {
  private struct Sample: Codable, Equatable {
    var text: String
    var whole: Int64
    var part: Double
    var flag: Bool
    var list: [[Int]]
    var table: [String: String?]
    var nothing: String?
  }

  private func foundation(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  @Test("is, byte for byte, what Foundation's encoder makes of it, and comes back")
  func sameAsFoundation() throws {
    var random = SplitMix64(seed: 11)
    for _ in 0..<300 {
      let sample = Sample(
        text: text(&random), whole: Int64(truncatingIfNeeded: random.next()),
        part: Double(Int64.random(in: -1_000_000...1_000_000, using: &random)) / 1000,
        flag: Bool.random(using: &random),
        list: (0..<Int.random(in: 0...3, using: &random)).map { Array(repeating: $0, count: $0) },
        table: Dictionary(uniqueKeysWithValues: (0..<Int.random(in: 0...3, using: &random)).map { ("key\($0)", nil) }),
        nothing: nil)
      let json = try JSON.text(of: sample)
      #expect(try json == foundation(sample))
      #expect(try JSON.decode(Sample.self, from: json) == sample)
      #expect(try JSON.decode(Sample.self, from: JSON.text(of: sample, as: .line)) == sample)
      let ascii = try JSON.text(of: sample, as: .asciiLine)
      #expect(try JSON.decode(Sample.self, from: ascii) == sample)
      #expect(ascii.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(ascii)")
    }
  }

  private func text(_ random: inout SplitMix64) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0...12, using: &random) {
      let plane: UInt32 = [0x20, 0x80, 0x3000, 0x11_0000].randomElement(using: &random) ?? 0x80
      if let scalar = Unicode.Scalar(UInt32.random(in: 0..<plane, using: &random)) {
        text.unicodeScalars.append(scalar)
      }
    }
    return text
  }

  @Test("keeps the order of the members in one line")
  func line() throws {
    struct Pair: Encodable { var zebra = 1, ape = [String]() }
    #expect(try JSON.text(of: Pair(), as: .line) == #"{"zebra":1,"ape":[]}"#)
  }

  @Test("of what is no number is an error with its place")
  func noNumber() throws {
    struct Part: Encodable { var parts = [1, Double.nan] }
    do {
      _ = try JSON.text(of: Part())
      Issue.record("was encoded")
    } catch let EncodingError.invalidValue(_, context) {
      #expect(context.codingPath.map(\.stringValue) == ["parts", "1"])
    }
  }

  @Test("of a subclass goes through superEncoder and back")
  func inheritance() throws {
    let value = Child(parent: 1, child: 2)
    let json = try JSON.text(of: value, as: .line)
    #expect(json == #"{"child":2,"super":{"parent":1}}"#)
    let read = try JSON.decode(Child.self, from: json)
    #expect(read.parent == 1 && read.child == 2)
  }

  private class Parent: Codable {
    let parent: Int
    init(parent: Int) { self.parent = parent }
  }

  private final class Child: Parent {
    let child: Int

    enum Key: CodingKey { case child }

    init(parent: Int, child: Int) {
      self.child = child
      super.init(parent: parent)
    }

    required init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: Key.self)
      child = try container.decode(Int.self, forKey: .child)
      try super.init(from: container.superDecoder())
    }

    override func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(child, forKey: .child)
      try super.encode(to: container.superEncoder())
    }
  }
}
