/// Rows of bars over a common time, as a report and a plan are drawn.
///
/// What is in it is decided where it is made; how that looks is decided where it is written as SVG.
struct TimelinePicture: Hashable {
  /// A stretch of time, with a scale of its own.
  struct Panel: Hashable {
    var title: String
    var length: Duration
    var marks: [Mark] = []
    /// Of the room that the panels share.
    var share: Double
  }

  /// An instant that concerns every row.
  struct Mark: Hashable {
    var at: Duration
    var label: String
    var isDeadline = false
  }

  struct Bar: Hashable {
    var panel: Int
    var from: Duration
    var to: Duration
    var kind: Kind
    /// What is shown when the pointer is on it.
    var title: String
    /// It goes on beyond its end.
    var isOpen = false
  }

  /// Of a bar; the raw value is its class in the style.
  enum Kind: String, Hashable, CaseIterable {
    case start, lameDuck, wait, limit, critical, drain, turn, cancelled, abandoned, failed

    var meaning: String {
      switch self {
      case .start: "starts"
      case .lameDuck: "serves on as a lame duck"
      case .wait: "waits for others"
      case .drain: "drains"
      case .turn: "cleans up"
      case .cancelled: "cancelled"
      case .abandoned: "abandoned"
      case .failed: "failed"
      case .limit: "may drain"
      case .critical: "may drain, and decides the length of the whole"
      }
    }
  }

  struct Row: Hashable {
    var name: String
    var level = 0
    var note = ""
    var bars: [Bar] = []
    /// It stands out.
    var isLoud = false
    /// It is part of the row above, and not a phase.
    var isPart = false
  }

  /// One row went on when another had come so far.
  struct Link: Hashable {
    var from: Int
    var to: Int
    var panel: Int
    /// The end of the one, and the beginning of the other.
    var left: Duration
    var right: Duration
    /// The phase that was waited for longest.
    var isLast: Bool
  }

  var title: String
  var subtitle: [String] = []
  var panels: [Panel]
  var rows: [Row] = []
  var links: [Link] = []
  /// Below everything.
  var notes: [String] = []

  /// In the order in which they come.
  var kinds: [Kind] {
    let used = Set(rows.flatMap(\.bars).map(\.kind))
    return Kind.allCases.filter(used.contains)
  }
}
