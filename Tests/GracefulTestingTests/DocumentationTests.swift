import Foundation
import Testing

@Suite("The documentation of GracefulTesting")
struct DocumentationTests {
  private static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private static func lines(_ path: String) throws -> [String] {
    try String(contentsOf: package.appending(path: path), encoding: .utf8).split(
      separator: "\n", omittingEmptySubsequences: false
    ).map(String.init)
  }

  /// The examples in the comments of a file, each without what is before it on every line.
  private static func examples(in path: String) throws -> [[String]] {
    var examples: [[String]] = []
    var open: [String]?
    for line in try lines(path) {
      let text = line.drop { $0 == " " }
      guard text.hasPrefix("///") else { continue }
      let code = String(text.dropFirst(3).drop { $0 == " " })
      if code == "```swift" {
        open = []
      } else if code == "```", let whole = open {
        examples.append(whole)
        open = nil
      } else {
        open?.append(code)
      }
    }
    return examples
  }

  @Test(
    "shows examples that are compiled and run, word for word",
    arguments: ["ManualClock", "Recorder", "ScriptedService"])
  func examples(file: String) throws {
    let examples = try Self.examples(in: "Sources/GracefulTesting/\(file).swift")
    #expect(!examples.isEmpty)
    let tests = try Self.lines("Tests/GracefulTestingTests/DocumentedExamples.swift")
      .map { String($0.drop { $0 == " " }) }
    for example in examples {
      let isThere = tests.indices.contains { tests[$0...].starts(with: example) }
      #expect(
        isThere, "\(file).swift shows what is not in DocumentedExamples.swift:\n\(example.joined(separator: "\n"))")
    }
  }
}
