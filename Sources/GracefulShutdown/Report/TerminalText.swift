/// A text as a terminal shows it: nothing in it moves the cursor, and it is known how many columns it takes.
///
/// Names and errors may come from outside the program. What a terminal would obey (control characters, directions of
/// writing, invisible characters) is shown as an escape, as in Swift source.
package struct TerminalText: Hashable, Sendable {
  package private(set) var string = ""
  package private(set) var columns = 0

  /// A name: of it, as much as fits, and `…` when it was more.
  package init(_ name: String, columns limit: Int) {
    var kept: [(text: String, columns: Int)] = []
    var pieces = name.lazy.flatMap(Self.pieces).makeIterator()
    while columns <= limit, let piece = pieces.next() {
      kept.append((piece, Self.columns(of: piece)))
      columns += kept[kept.count - 1].columns
    }
    if columns > limit {
      // One more than fits was taken; room is made for the sign that says so.
      while columns > limit - 1, let last = kept.popLast() { columns -= last.columns }
      kept.append(limit > 0 ? ("…", 1) : ("", 0))
      columns += kept[kept.count - 1].columns
    }
    string = kept.map(\.text).joined()
  }

  /// Prose: line breaks and tabs are spaces, and what is too long for a line goes on in the next one.
  ///
  /// - Parameter most: So many lines; what is left out shows as `…`.
  package static func lines(of prose: String, columns limit: Int, most: Int) -> [String] {
    var lines: [TerminalText] = []
    var words = prose.split { $0.isWhitespace }.makeIterator()
    // One more word than there is room for shows that something is missing.
    while lines.count <= most, let next = words.next() {
      let word = TerminalText(String(next), columns: limit)
      if let last = lines.last, last.columns + 1 + word.columns <= limit {
        lines[lines.count - 1].append(" ", word)
      } else {
        lines.append(word)
      }
    }
    guard lines.count > most, most > 0 else { return lines.map(\.string) }
    return lines.prefix(most - 1).map(\.string) + [TerminalText(lines[most - 1].string + " …", columns: limit).string]
  }

  /// Prose on one line, cut at its end.
  package static func line(of prose: String, columns limit: Int) -> String {
    lines(of: prose, columns: limit, most: 1).first ?? ""
  }

  /// With spaces behind it.
  package func padded(to width: Int) -> String { string + String(repeating: " ", count: max(0, width - columns)) }

  private mutating func append(_ between: String, _ other: TerminalText) {
    string += between + other.string
    columns += between.count + other.columns
  }
}

extension TerminalText {
  /// What is shown for one character: it itself, or an escape for each part that must not reach a terminal.
  private static func pieces(of character: Character) -> [String] {
    // More marks on one letter than any script has, are there to be drawn over the lines beside it.
    let scalars = character.unicodeScalars.prefix(16)
    if !scalars.contains(where: mustBeEscaped) { return [(isMark(scalars.first) ? "\u{25CC}" : "") + joined(scalars)] }
    return scalars.map { scalar in
      switch scalar {
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      case _ where mustBeEscaped(scalar): "\\u{\(String(scalar.value, radix: 16, uppercase: true))}"
      default: String(scalar)
      }
    }
  }

  private static func joined(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var string = ""
    string.unicodeScalars.append(contentsOf: scalars)
    return string
  }

  private static func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
    // The joiner (U+200D) holds an emoji together; the rest is invisible, or turns the line round (U+202E).
    case .format: scalar.value != 0x200D
    default: false
    }
  }

  private static func isMark(_ scalar: Unicode.Scalar?) -> Bool {
    switch scalar?.properties.generalCategory {
    case .nonspacingMark, .enclosingMark: true
    default: false
    }
  }

  /// As wcswidth(3) counts, one scalar after the other: what most terminals do.
  private static func columns(of piece: String) -> Int {
    piece.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
  }

  private static func columns(of scalar: Unicode.Scalar) -> Int {
    if scalar.value < 0x300 { return 1 }
    if isMark(scalar) || scalar.value == 0x200D || 0x1160...0x11FF ~= scalar.value { return 0 }
    return isWide(scalar) ? 2 : 1
  }

  /// East Asian wide and fullwidth (UAX #11), by blocks.
  private static func isWide(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x16FE0...0x18DFF, 0x1B000...0x1B2FF,
      0x1F200...0x1F2FF, 0x20000...0x3FFFD:
      true
    // Letters of flags: two of them are one flag.
    case 0x1F1E6...0x1F1FF: false
    default: scalar.properties.isEmojiPresentation
    }
  }
}
