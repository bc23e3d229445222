import Exploration
import Foundation
import Testing

@testable import GracefulJSON

@Suite("A text that may be JSON", .timeLimit(.minutes(1)))
struct JSONParserTests {
  private func problem(_ text: String) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
      _ = try JSONParser.value(of: text)
      return nil
    } catch {
      return error
    }
  }

  @Test("is read as what it says")
  func values() throws {
    #expect(
      try JSONParser.value(of: " { \"a\" : [ 1 , true , null ] , \"\\u0062\\ud83d\\ude00\\/\" : \"\\n\\\"\" } \n")
        == .object([
          .init(key: "a", value: .array([.number(DecimalNumber(1)), .bool(true), .null])),
          .init(key: "b\u{1F600}/", value: .string("\n\"")),
        ]))
  }

  @Test(
    "that is none is refused with the place of the fault",
    arguments: [
      ("", 1, 1), ("{\n  \"a\" 1}", 2, 7), ("[1,]", 1, 4), ("[1 2]", 1, 4), ("{\"a\":1,}", 1, 8), ("{a:1}", 1, 2),
      ("01", 1, 2), ("1.", 1, 3), ("-", 1, 2), ("+1", 1, 1), (".5", 1, 1), ("1e", 1, 3), ("1e99999", 1, 8),
      ("tru", 1, 1), ("NaN", 1, 1), ("\"a", 1, 3), ("\"a\nb\"", 1, 3), ("\"\\x\"", 1, 4), ("\"\\u12g4\"", 1, 6),
      ("\"\\ud800\"", 1, 8), ("\"\\ud800\\u0041\"", 1, 14), ("\"\\udc00\"", 1, 8), ("1 1", 1, 3), ("\u{FEFF}1", 1, 1),
    ])
  func faults(text: String, line: Int, column: Int) {
    let problem = problem(text)
    #expect(problem?.line == line && problem?.column == column, "\(problem as Any)")
  }

  @Test("is as deep as 512 values and no deeper")
  func depth() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(problem(nested(512)) == nil)
    #expect(problem(nested(513))?.reason == "more than 512 values are inside each other")
  }

  @Test("is JSON for the parser when it is JSON for Foundation")
  func sameAsFoundation() {
    var random = SplitMix64(seed: 3)
    let pieces = [
      "{", "}", "[", "]", ",", ":", "\"a\"", "1", "-0.5", "true", "null", " ", "\n", "\"\\u00e9\"", "0", "\"",
    ]
    var read = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 1...7, using: &random)).map { _ in pieces.randomElement(using: &random) ?? "" }
        .joined()
      let isJSON = (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
      // Foundation passes over a comma at the end of an array; RFC 8259 has none there.
      if text.contains(/,\s*\]/) { continue }
      #expect((problem(text) == nil) == isJSON, "\(text)")
      if isJSON { read += 1 }
    }
    #expect(read > 1000)
  }
}
