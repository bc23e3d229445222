import GracefulShutdown
import Testing

/// What a name may be that comes from outside the program.
private let names = [
  "", " ", "web", String(repeating: "x", count: 10_000), String(repeating: "漢", count: 10_000), "日本語のフェーズ",
  "a\nb", "a\r\nb", "\u{1B}[2J\u{1B}]0;owned\u{7}", "\u{0}\u{8}\u{7F}\u{9B}2J", "e\u{301}", "\u{301}start",
  "z" + String(repeating: "\u{300}\u{301}\u{302}", count: 10_000), "\u{202E}drowrof", "\u{2028}\u{2029}\u{85}",
  "👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "🇩🇪🇫🇷🇩🇪", "각각", "tab\there", "\u{200B}\u{FEFF}\u{AD}", "नमस्ते", "\u{FFFD}\u{E000}\u{10FFFF}",
  String(repeating: "\u{200D}", count: 10_000), "a/b/c", "exit 0: clean", "! x  ABANDONED",
]

@Suite("The text of a report")
struct ReportTextTests {
  @Test(
    "A terminal's columns are counted as wcwidth(3) does",
    arguments: [
      ("abc", "abc", 3), ("漢字", "漢字", 4), ("e\u{301}x", "e\u{301}x", 2), ("\u{301}", "\u{25CC}\u{301}", 1),
      ("👍", "👍", 2), ("❤", "❤", 1), ("🇩🇪", "🇩🇪", 2), ("각", "각", 2), ("\u{1B}[2J", "\\u{1B}[2J", 9),
      ("a\r\nb\tc", "a\\r\\nb\\tc", 9), ("\u{202E}x", "\\u{202E}x", 9), ("", "", 0),
    ])
  func columns(text: String, shown: String, columns: Int) {
    let terminal = TerminalText(text, columns: 80)
    #expect(terminal.string == shown)
    #expect(terminal.columns == columns)
  }

  @Test(
    "What is too long is cut where it fits, and says so",
    arguments: [
      ("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("漢字漢", 6, "漢字漢"), ("漢字漢字", 6, "漢字…"), ("漢字", 1, "…"),
      ("abc\u{1B}", 7, "abc…"), ("abc", 0, ""), ("ab\u{301}", 2, "ab\u{301}"),
    ])
  func cut(text: String, columns: Int, shown: String) {
    let terminal = TerminalText(text, columns: columns)
    #expect(terminal.string == shown)
    #expect(terminal.columns <= columns)
  }

  @Test("Prose goes on in the next line, and ends with a sign when it does not end")
  func prose() {
    let prose = "one two\tthree\nfour \u{1B}five"
    #expect(TerminalText.lines(of: prose, columns: 9, most: 9) == ["one two", "three", "four", "\\u{1B}fi…"])
    #expect(TerminalText.lines(of: prose, columns: 9, most: 2) == ["one two", "three …"])
    #expect(TerminalText.line(of: prose, columns: 80) == "one two three four \\u{1B}five")
    #expect(TerminalText.lines(of: " \n ", columns: 9, most: 2) == [])
  }

  @Test("No name, error or reason breaks it: printable, within 80 columns, a line for each", arguments: names)
  func hostileNames(name: String) {
    var broken = PhaseReport.of(name, .failed(name), requires: ["database", name])
    broken.sessions = SessionReport(admitted: .max, refused: .max, drained: .max, failed: 0, cancelled: 0, abandoned: 1)
    var report = LifecycleReport.of(
      [.of("database", .drained), broken, .of("\(name)/\(name)", .abandoned, parent: name), .of(name, .cancelled)],
      lifecycle: name, why: name)
    report.stragglers += [
      Straggler(session: name, in: name, age: .seconds(1)), Straggler(session: name, in: "elsewhere", age: .seconds(1)),
    ]
    report.mistakes = [ConfigurationMistake(kind: .cycle([name, "b", name]))]
    report.ignored = [name]
    let lines: [String] = report.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.last == "")
    #expect((9...40).contains(lines.count), "\(report.text)")
    for line in lines {
      #expect(isPlain(line), "\(line.debugDescription)")
      #expect(TerminalText(line, columns: 1000).columns <= 80, "\(line)")
      #expect(line.unicodeScalars.count < 1000)
    }
    // What a name says is never taken for what the report says.
    #expect(
      lines.dropLast().last?.hasPrefix("  exit 124: not ended in time: ") ?? false
        || lines.contains { $0.hasPrefix("  exit 124: ") })
    #expect(isPlain(report.summary))
    #expect(report.summary.unicodeScalars.count < 6000)
  }

  private func isPlain(_ line: String) -> Bool {
    line.unicodeScalars.allSatisfy { scalar in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: false
      case .format: scalar.value == 0x200D
      default: true
      }
    }
  }

  @Test("Who asked and why stands on lines of its own when it is long")
  func head() {
    let report = LifecycleReport.of([], lifecycle: "a shop with a long name", why: "because it is Monday, and\nlate")
    #expect(
      report.text == """
        a shop with a long name: ran 60 min 0 s, stopped in 5.000 s of 25.0 s
          asked by SIGTERM: because it is Monday, and late
          exit 0: clean

        """)
  }

  @Test("A name with line breaks is one row of the table")
  func rows() {
    let report = LifecycleReport.of([.of("a\n! b  ABANDONED", .drained), .of("c", .drained)])
    #expect(report.text.split(separator: "\n").dropFirst().first == "  a\\n! b  ABANDONED  drained  after 1.000 s")
    #expect(report.text.split(separator: "\n").count == 4)
  }

  @Test("Of 1,000 phases it shows 100, first of all those that were late, and says how many more")
  func manyPhases() {
    let phases: [PhaseReport] = (0..<1000).map { number in
      .of(
        "phase-\(number)", number % 100 == 99 ? .abandoned : .drained,
        requires: number == 0 ? [] : ["phase-\(number - 1)"])
    }
    let lines = LifecycleReport.of(phases).text.split(separator: "\n")
    #expect((100...110).contains(lines.count))
    #expect(lines.filter { $0.contains("ABANDONED") }.count == 10)
    #expect(lines.contains("  … and 900 more phases: 900 drained"))
    // A chain of a thousand stays on the screen: from the ninth level on it is a number.
    #expect(lines.contains { $0.contains("899› phase-100") || $0.contains("900› phase-99") })
  }

  @Test("Of 10,000 late sessions it shows 50, ten of a phase, and says how many more")
  func manySessions() {
    var report = LifecycleReport.of((0..<100).map { .of("phase-\($0)", .abandoned) })
    report.stragglers += (0..<10_000).map {
      Straggler(session: "session \($0)", in: "phase-\($0 / 100)", age: .seconds($0))
    }
    let lines = report.text.split(separator: "\n")
    #expect(lines.filter { $0.contains(" LATE ") }.count == 50)
    #expect(lines.filter { $0 == "!     … and 90 more" }.count == 5)
    #expect(lines.contains("! … and 9500 more sessions"))
    #expect(lines.count < 200)
    #expect(report.text.hasSuffix("and 10092 more\n"))
    #expect(report.summary.count < 1000)
  }

  @Test("Below a phase stands what nobody above it is missing, whatever the order of the declarations")
  func order() {
    let phases: [PhaseReport] = [
      .of("d", .drained), .of("b", .drained, requires: ["d", "c"]), .of("a", .drained, requires: ["b", "c"]),
      .of("c", .drained, requires: ["d"]), .of("e", .drained, requires: ["d"]),
    ]
    let rows = ReportTree(phases).rows
    #expect(rows.map { phases[$0.phase].name } == ["a", "b", "c", "e", "d"])
    #expect(rows.map(\.level) == [0, 1, 2, 0, 1])
    #expect(rows.last?.others.map { phases[$0].name } == ["b", "c"])
  }

  @Test("Circles, unknown names and orphans are shown all the same, each once")
  func brokenGraphs() {
    let phases: [PhaseReport] = [
      .of("a", .drained, requires: ["b"]), .of("b", .drained, requires: ["a"]),
      .of("c", .drained, requires: ["c", "x"]),
      .of("c", .drained, requires: ["a"]), .of("k", .drained, parent: "l"), .of("l", .drained, parent: "k"),
      .of("gone/child/grandchild", .drained, parent: "gone/child"), .of("a/b/c", .drained, parent: "a/b"),
      .of("s", .drained, parent: "s"),
    ]
    let rows = ReportTree(phases).rows
    #expect(rows.map(\.phase).sorted() == Array(phases.indices))
    #expect(rows.first { phases[$0.phase].name == "a/b/c" }?.owner == 0)
  }

  @Test("Ten thousand phases in a chain, and as many children below each other, need no deep stack")
  func deep() {
    let chain: [PhaseReport] = (0..<10_000).map { .of("\($0)", .drained, requires: ["\($0 + 1)"]) }
    #expect(ReportTree(chain).rows.map(\.level) == Array(0..<10_000))
    let children: [PhaseReport] = (0..<10_000).map { .of("\($0)", .drained, parent: $0 == 0 ? nil : "\($0 - 1)") }
    #expect(ReportTree(children).rows.last?.level == 9999)
    #expect(LifecycleReport.of(chain).text.split(separator: "\n").count == 103)
  }
}
