internal import NIOCore

/// What the bodies of answers are held against.
///
/// Without it a body is right when the answer is whole by what it says of itself: its length, its chunks, the id that it
/// echoes. A new version of a server may answer anything else than the old one.
public enum BodyExpectation: Hashable, Sendable {
  /// As long as those of three answers before the load.
  case length
  /// A regular expression that matches somewhere in the first 64 KiB.
  case pattern(String)

  /// Reads `length`, or a regular expression; `nil` for an expression that cannot be read.
  public init?(_ text: String) {
    if text == "length" {
      self = .length
    } else if !text.isEmpty, (try? Regex<AnyRegexOutput>(text)) != nil {
      self = .pattern(text)
    } else {
      return nil
    }
  }
}

/// Holds bodies against an expression, on one thread.
final class BodyMatcher {
  /// How much of a body is kept for it.
  static let bound = 64 * 1024

  private let expression: Regex<AnyRegexOutput>
  /// The last body with what came of it: most bodies are alike, and an expression is slow.
  private var last: (body: ByteBuffer, matches: Bool)?

  /// Makes one for an expression; `nil` where none is asked for.
  init?(_ pattern: String?) {
    guard let pattern, let expression = try? Regex<AnyRegexOutput>(pattern) else { return nil }
    self.expression = expression
  }

  func matches(_ body: ByteBuffer) -> Bool {
    if let last, last.body == body { return last.matches }
    let matches = String(buffer: body).firstMatch(of: expression) != nil
    last = (body, matches)
    return matches
  }
}
