internal import GracefulShutdown

extension TimelinePicture {
  /// A picture of its own: no script, nothing that is loaded, and colours for light and dark.
  ///
  /// Names are text of others: what XML or a terminal would obey is escaped.
  var svg: String {
    var canvas = TimelineCanvas(self)
    return canvas.draw()
  }
}

/// Where everything is, in pixels.
private struct TimelineCanvas {
  // Of a monospaced font of 12 pixels; a little more than any of those that are usual.
  private static let column = 7.3
  private static let nameColumns = 30
  private static let noteColumns = 46
  private static let margin = 16.0
  private static let rowHeight = 24.0
  private static let gap = 18.0
  private static let panelsWidth = 680.0
  private static let most = 300

  private let picture: TimelinePicture
  private let panels: [(left: Double, width: Double)]
  private let top: Double
  private var lines: [String] = []

  private var shown: Int { min(picture.rows.count, Self.most) }
  private var bottom: Double { top + Double(shown) * Self.rowHeight }
  private static let noteLeft = margin + Double(nameColumns) * column + panelsWidth + 2 * gap
  private static let width = noteLeft + Double(noteColumns) * column + margin

  init(_ picture: TimelinePicture) {
    self.picture = picture
    let gaps = Self.gap * Double(max(picture.panels.count - 1, 0))
    let room = Self.panelsWidth - gaps
    let whole = max(picture.panels.reduce(0) { $0 + $1.share }, 0.001)
    var left = Self.margin + Double(Self.nameColumns) * Self.column + Self.gap
    panels = picture.panels.map { panel in
      let width = room * panel.share / whole
      defer { left += width + Self.gap }
      return (left, width)
    }
    top = 114 + 18 * Double(picture.subtitle.count)
  }

  mutating func draw() -> String {
    let below = Double(picture.notes.count + 1) * 18 + 34
    let height = bottom + below
    lines = [
      #"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \#(Self.number(Self.width)) \#(Self.number(height))" "#
        + #"width="\#(Self.number(Self.width))" height="\#(Self.number(height))" role="img">"#,
      "<title>\(Self.escaped(picture.title))</title>", "<style>\(Self.style)</style>",
      #"<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">"#
        + #"<line x1="0" y1="0" x2="0" y2="6" class="hatch"/></pattern></defs>"#,
      #"<rect width="100%" height="100%" class="ground"/>"#,
    ]
    text(picture.title, Self.margin, 30, "title", columns: 120)
    for (index, line) in picture.subtitle.enumerated() {
      text(line, Self.margin, 52 + 18 * Double(index), "faint", columns: 160)
    }
    for index in picture.panels.indices { drawPanel(index) }
    for link in picture.links where link.from < shown && link.to < shown { draw(link) }
    for index in 0..<shown { draw(picture.rows[index], at: top + Double(index) * Self.rowHeight) }
    drawLegend(at: bottom + 30)
    for (index, note) in picture.notes.enumerated() {
      text(note, Self.margin, bottom + 54 + 18 * Double(index), "faint", columns: 160)
    }
    return (lines + ["</svg>", ""]).joined(separator: "\n")
  }

  private mutating func drawPanel(_ index: Int) {
    let (panel, place) = (picture.panels[index], panels[index])
    lines.append(
      #"<rect x="\#(Self.number(place.left))" y="\#(Self.number(top - 4))" width="\#(Self.number(place.width))" "#
        + #"height="\#(Self.number(bottom - top + 8))" class="panel"/>"#)
    text(panel.title, place.left, top - 58, "head", columns: Int(place.width / Self.column))
    var labelled = -Double.infinity
    let ticks = Self.ticks(panel.length, room: place.width)
    for tick in ticks {
      let x = position(tick, in: index)
      line(x, top - 8, x, bottom + 4, "tick")
      let label = tick.axis(ticks.last.map { $0 / Double(max(ticks.count - 1, 1)) } ?? .zero)
      let right = x + Double(label.count) * Self.column
      guard x > labelled, right < place.left + place.width + Self.gap / 2 else { continue }
      labelled = right + Self.column
      text(label, x, top - 12, "faint small", columns: 20)
    }
    var free = [-Double.infinity, -Double.infinity]
    for mark in panel.marks where mark.at <= panel.length {
      let x = position(mark.at, in: index)
      let room = Double(mark.label.count) * Self.column
      // Those at the right edge stand before their line, those that are close to another one above it.
      let left = min(x + 2, place.left + place.width - room)
      let level = left > free[0] ? 0 : 1
      let y = top - 26 - 13 * Double(level)
      line(x, y, x, bottom + 4, mark.isDeadline ? "deadline" : "mark")
      guard left > free[level] else { continue }
      free[level] = left + room
      text(mark.label, left, y - 2, mark.isDeadline ? "late small" : "faint small", columns: 40)
    }
  }

  private mutating func draw(_ row: TimelinePicture.Row, at y: Double) {
    let indent = 2 * min(row.level, 8)
    let mark = row.isLoud ? "! " : "  "
    let name = TerminalText(row.name, columns: Self.nameColumns - 3 - indent).string
    text(
      mark + String(repeating: " ", count: indent) + name, Self.margin, y + 16,
      row.isLoud ? "late" : row.isPart ? "faint" : "name", columns: nil)
    for bar in row.bars where picture.panels.indices.contains(bar.panel) { draw(bar, row, at: y) }
    text(
      row.note, Self.noteLeft, y + 16, row.isLoud ? "late small" : "faint small", columns: Self.noteColumns)
  }

  private mutating func draw(_ bar: TimelinePicture.Bar, _ row: TimelinePicture.Row, at y: Double) {
    let (left, right) = (position(bar.from, in: bar.panel), position(bar.to, in: bar.panel))
    // A bar that took no time is there all the same.
    let width = max(right - left, 2)
    let isThin = bar.kind == .wait
    let (top, height) = isThin ? (y + 11, 2.0) : row.isPart ? (y + 8, 8.0) : (y + 5, 14.0)
    let place =
      #"x="\#(Self.number(left))" y="\#(Self.number(top))" width="\#(Self.number(width))" height="\#(Self.number(height))""#
    lines.append(
      #"<g><title>\#(Self.escaped(bar.title))</title><rect \#(place) rx="2" class="\#(bar.kind.rawValue)"/>"#)
    if bar.kind == .abandoned || bar.kind == .failed { lines.append(#"<rect \#(place) rx="2" fill="url(#hatch)"/>"#) }
    if bar.isOpen {
      let (x, middle) = (left + width, top + height / 2)
      lines.append(
        #"<path d="M\#(Self.number(x)) \#(Self.number(middle - 6))l8 6l-8 6z" class="\#(bar.kind.rawValue)"/>"#)
    }
    lines.append("</g>")
  }

  /// From the end of the one, straight to the height of the other, and over to where that begins.
  private mutating func draw(_ link: TimelinePicture.Link) {
    let (left, right) = (position(link.left, in: link.panel), position(link.right, in: link.panel))
    let from = top + (Double(link.from) + 0.5) * Self.rowHeight
    let to = top + (Double(link.to) + 0.5) * Self.rowHeight
    lines.append(
      #"<path d="M\#(Self.number(left)) \#(Self.number(from))V\#(Self.number(to))H\#(Self.number(right))" "#
        + #"class="link\#(link.isLast ? " last" : "")"/>"#)
  }

  private mutating func drawLegend(at y: Double) {
    var x = Self.margin
    for kind in picture.kinds {
      let height = kind == .wait ? 2.0 : 10.0
      let place =
        #"x="\#(Self.number(x))" y="\#(Self.number(y - 4 - height / 2))" width="18" height="\#(Self.number(height))""#
      lines.append(#"<rect \#(place) rx="2" class="\#(kind.rawValue)"/>"#)
      if kind == .abandoned || kind == .failed { lines.append(#"<rect \#(place) rx="2" fill="url(#hatch)"/>"#) }
      text(kind.meaning, x + 24, y, "faint small", columns: 80)
      x += 24 + Double(kind.meaning.count + 3) * Self.column
    }
    if picture.rows.count > Self.most {
      text("… and \(picture.rows.count - Self.most) more rows", x, y, "late small", columns: 40)
    }
  }

  /// Where an instant is; those beyond the panel are at its edge.
  private func position(_ instant: Duration, in panel: Int) -> Double {
    let (place, length) = (panels[panel], picture.panels[panel].length)
    guard length > .zero else { return place.left }
    return place.left + place.width * min(max(instant / length, 0), 1)
  }

  /// 1, 2 or 5 times a power of ten apart, so that their labels fit.
  private static func ticks(_ length: Duration, room: Double) -> [Duration] {
    guard length > .zero else { return [] }
    let least = length / max(room / (9 * column), 1)
    var step = Duration.microseconds(1)
    var factor = 0
    while step < least {
      step = factor % 3 == 1 ? step / 2 * 5 : step * 2
      factor += 1
    }
    return (0...Int(length / step)).map { step * $0 }
  }

  private mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, _ style: String) {
    lines.append(
      #"<line x1="\#(Self.number(x1))" y1="\#(Self.number(y1))" x2="\#(Self.number(x2))" y2="\#(Self.number(y2))" "#
        + #"class="\#(style)"/>"#)
  }

  private mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ style: String, columns: Int?
  ) {
    let line = columns.map { TerminalText.line(of: text, columns: $0) } ?? text
    guard !line.isEmpty else { return }
    lines.append(
      #"<text x="\#(Self.number(x))" y="\#(Self.number(y))" class="\#(style)">\#(Self.escaped(line))</text>"#)
  }

  /// One digit after the point is enough for any eye.
  private static func number(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10)" : "\(Double(tenths) / 10)"
  }

  private static func escaped(_ text: String) -> String {
    // Control characters cannot be in XML 1.0 at all, not even escaped (§2.2).
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\n", "\t": escaped += " "
      default:
        let isAllowed = scalar.value >= 0x20 && scalar.value != 0xfffe && scalar.value != 0xffff
        escaped += isAllowed ? String(scalar) : "\u{fffd}"
      }
    }
    return escaped
  }

  private static let style = """
    svg{--ground:#fff;--ink:#1f2328;--faint:#59636e;--edge:#d1d9e0;--panel:#f6f8fa;--start:#8250df;--wait:#9aa4ae;\
    --drain:#54aeff;--turn:#1a7f37;--cancelled:#d4720b;--abandoned:#cf222e;--hatch:#fff;color-scheme:light dark}
    @media (prefers-color-scheme:dark){svg{--ground:#0d1117;--ink:#f0f6fc;--faint:#9198a1;--edge:#3d444d;\
    --panel:#151b23;--start:#ab7df8;--wait:#656c76;--drain:#388bfd;--turn:#3fb950;--cancelled:#e09b13;\
    --abandoned:#f85149;--hatch:#0d1117}}
    text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--ink);\
    white-space:pre}
    .title{font-size:16px;font-weight:600}.head{font-weight:600}.small{font-size:11px}.faint{fill:var(--faint)}
    .late{fill:var(--abandoned);font-weight:600}.ground{fill:var(--ground)}.panel{fill:var(--panel)}
    .tick{stroke:var(--edge)}.mark{stroke:var(--faint);stroke-dasharray:2 3}
    .deadline{stroke:var(--abandoned);stroke-dasharray:5 3}
    .link{fill:none;stroke:var(--edge)}.last{stroke:var(--faint)}
    .start{fill:var(--start)}.wait{fill:var(--wait)}.drain,.limit{fill:var(--drain)}.turn{fill:var(--turn)}
    .lameDuck{fill:var(--drain);opacity:.45}.cancelled{fill:var(--cancelled)}.critical{fill:var(--start)}.abandoned,.failed{fill:var(--abandoned)}
    .hatch{stroke:var(--hatch);stroke-width:2}
    """
}

extension Duration {
  /// On an axis with that step, which is round.
  fileprivate func axis(_ step: Duration) -> String {
    if self == .zero { return "0" }
    if step < .milliseconds(1) { return "\(Int((self / .microseconds(1)).rounded())) µs" }
    if step < .milliseconds(100) { return "\(Int((self / .milliseconds(1)).rounded())) ms" }
    let tenths = Int((self / .milliseconds(100)).rounded())
    return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(Double(tenths) / 10) s"
  }
}
