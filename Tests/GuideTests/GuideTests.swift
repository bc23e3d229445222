import Foundation
import Graceful
import Testing

/// What the guides and the README show is what this package does: their Swift is compiled, word for word, here, beside
/// here or in `Examples/`; the plan that they show is printed; and the tests that they name exist.
@Suite("The guides")
struct GuideTests {
  private static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let catalog = package.appending(path: "Sources/Graceful/Documentation.docc")

  /// Without indentation: a sample may stand deeper in a program than in its guide.
  private static func lines(_ file: URL) throws -> [String] {
    try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.trimmingCharacters(in: .whitespaces) }
  }

  private static func files(in folder: URL, ending: String) -> [URL] {
    let all = FileManager.default.enumerator(
      at: folder, includingPropertiesForKeys: nil, options: [.skipsHiddenFiles])
    return (all?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == ending }
  }

  static let articles = ["README.md"] + files(in: catalog, ending: "md").map(\.lastPathComponent).sorted()

  private static func lines(of article: String) throws -> [String] {
    let files = [package.appending(path: "README.md")] + files(in: catalog, ending: "md")
    return try lines(#require(files.first { $0.lastPathComponent == article }))
  }

  /// The listings of an article in one language.
  private static func listings(of language: String, in article: String) throws -> [[String]] {
    var listings: [[String]] = []
    var open: [String]?
    for line in try lines(of: article) {
      if line == "```\(language)" {
        open = []
      } else if line == "```", let whole = open {
        listings.append(whole)
        open = nil
      } else {
        open?.append(line)
      }
    }
    return listings
  }

  @Test("show Swift that is compiled, word for word", arguments: articles)
  func listings(article: String) throws {
    let sources = try ["Tests/GuideTests", "Tests/ReadmeShop", "Tests/ReadmeHello", "Examples"].flatMap {
      try Self.files(in: Self.package.appending(path: $0), ending: "swift").map(Self.lines)
    }
    for listing in try Self.listings(of: "swift", in: article) {
      let isThere = sources.contains { lines in lines.indices.contains { lines[$0...].starts(with: listing) } }
      #expect(isThere, "\(article) shows what is in no source:\n\(listing.joined(separator: "\n"))")
    }
  }

  @Test("show the plan that the program prints")
  func plan() throws {
    // The environment of the tests has no part in it.
    let plan = shopOfPhases().plan(with: OutsideSettings())
    let printed = plan.text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    let shown = try Self.listings(of: "text", in: "HowLongMayAStopTake.md").filter { $0.first == printed.first }
    #expect(shown.count == 1)
    #expect(shown.first == printed)
  }

  @Test("name suites of tests that exist", arguments: articles)
  func suites(article: String) throws {
    let text = try Self.lines(of: article).joined(separator: "\n")
    let tests = Set(
      Self.files(in: Self.package.appending(path: "Tests"), ending: "swift").map {
        $0.deletingPathExtension().lastPathComponent
      })
    for name in text.matches(of: /`([A-Z][A-Za-z]+Tests)`/).map({ String($0.output.1) }) {
      let isThere = tests.contains(name)
      #expect(isThere, "\(article) names \(name)")
    }
  }

  /// `Phase/withHandler(at:_:operation:)` is used where its name stands, `LifecycleReport/init(json:)` where a call does.
  private static func use(of symbol: String) -> Regex<Substring>? {
    let parts = symbol.split(separator: "(", maxSplits: 1)
    let path = (parts.first ?? "").split(separator: "/")
    guard var name = path.last, !["Graceful", "GracefulNIO", "GracefulTesting"].contains(name) else { return nil }
    if name == "init", path.count > 1, let label = parts.last?.split(separator: ":").first {
      name = "\(path[path.count - 2])(\(label):"
    }
    let pattern = name.replacing("(", with: "\\(")
    return try? Regex("(?<![A-Za-z0-9_])\(pattern)(?![A-Za-z0-9_])", as: Substring.self)
  }

  @Test("link to what a program outside of this package can use, as `PublicAPITests` does", arguments: articles)
  func symbols(article: String) throws {
    let uses = try Self.files(in: Self.package.appending(path: "Tests/PublicAPITests"), ending: "swift")
      .flatMap(Self.lines).joined(separator: "\n")
    let text = try Self.lines(of: article).joined(separator: "\n")
    for symbol in Set(text.matches(of: /``([^`\n]+)``/).map { String($0.output.1) }) {
      guard let use = Self.use(of: symbol) else { continue }
      let isUsed = uses.contains(use)
      #expect(isUsed, "\(article) links to \(symbol), which no file of Tests/PublicAPITests uses")
    }
  }
}
