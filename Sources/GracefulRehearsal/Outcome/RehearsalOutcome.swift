/// What a rehearsal comes to, with the reason in a sentence.
public enum RehearsalOutcome: Hashable, Sendable, CustomStringConvertible {
  /// Nothing was lost.
  case passed(String)
  /// Something was lost, or left over.
  case failed(String)
  /// It could not be done, so that nothing is known.
  case notDone(String)

  /// 0, 1 or 2.
  public var exitCode: Int32 {
    switch self {
    case .passed: 0
    case .failed: 1
    case .notDone: 2
    }
  }

  /// As the JSON report has it.
  public var word: String {
    switch self {
    case .passed: Word.passed.rawValue
    case .failed: Word.failed.rawValue
    case .notDone: Word.notDone.rawValue
    }
  }

  enum Word: String, Codable {
    case passed, failed, notDone
  }

  /// Of a JSON report, which has no sentence.
  init(word: Word) {
    self =
      switch word {
      case .passed: .passed("")
      case .failed: .failed("")
      case .notDone: .notDone("")
      }
  }

  /// The sentence.
  public var description: String {
    switch self {
    case .passed(let reason): "Passed: \(reason)"
    case .failed(let reason): "Failed: \(reason)"
    case .notDone(let reason): "Not done: \(reason)"
    }
  }

  /// What the outcome is decided by.
  package struct Evidence: Hashable, Sendable {
    package var obstacle: String?
    /// Whether what stood in the way says that nothing here is a finding about the server: the client's own machine
    /// refused, or the rehearsal was interrupted.
    package var isVoid = false
    package var isBalanced = true
    package var requests = 0
    package var lost = 0
    package var leftOver = 0
    package var asked = 0
    package var served = 0
    /// Restarts after which it cannot be seen which process answers.
    package var notKnown = 0
    /// Restarts that count because `--trust-restart` was given, and for no other reason.
    package var trusted = 0
    /// What was slower than it was allowed to be, in words.
    package var tooSlow: [String] = []
    /// Whether they are stops, and not restarts.
    package var areStops = false
    package var turnedAway = 0
    /// Restarts that were to be met by a fault, and those that were.
    package var faultsPlanned = 0
    package var faultsTaken = 0

    package init() {}
  }

  /// Decides; the first that applies.
  package init(_ evidence: Evidence) {
    let count = evidence.requests
    let restarts = Self.counted(evidence.served, evidence.areStops ? "stop" : "restart")
    let trusted =
      evidence.trusted > 0 ? "; \(evidence.trusted) of them on trust: which process answered is not known" : ""
    let turnedAway = evidence.turnedAway > 0 ? "; \(evidence.turnedAway) of them could know, and were turned away" : ""
    if evidence.isVoid {
      self = .notDone(evidence.obstacle ?? "it was given up.")
    } else if !evidence.isBalanced {
      self = .notDone("requests sent are not the sum of their classes; the counting is wrong, please report it.")
    } else if count == 0 {
      self = .notDone(evidence.obstacle ?? "no request was sent.")
    } else if evidence.lost > 0 {
      // A server that died has lost what was in flight: that is the finding, whatever could not be done after it.
      let besides = evidence.obstacle.map { "; besides, \($0)" } ?? "."
      self = .failed("\(evidence.lost) of \(Self.counted(count, "request")) were lost in \(restarts)\(besides)")
    } else if let obstacle = evidence.obstacle {
      self = .notDone(obstacle)
    } else if evidence.leftOver > 0 {
      let (left, were) = (Self.counted(evidence.leftOver, "old process", "old processes"), evidence.leftOver == 1)
      self = .failed("nothing was lost of \(count) requests, but \(left) \(were ? "was" : "were") left over.")
    } else if evidence.areStops && evidence.served < evidence.asked {
      self = .notDone(
        "only \(evidence.served) of \(Self.counted(evidence.asked, "stop")) ended with code 0 in time; nothing was lost meanwhile."
      )
    } else if evidence.notKnown > 0 {
      let these = Self.counted(evidence.notKnown, "restart")
      self = .notDone(
        "after \(these) of \(evidence.asked) it is not known which process answered; --trust-restart has them count. Nothing was lost meanwhile."
      )
    } else if evidence.served < evidence.asked - evidence.faultsPlanned {
      self = .notDone(
        "only \(evidence.served) of \(Self.counted(evidence.asked, "restart")) served; nothing was lost meanwhile.")
    } else if evidence.faultsTaken < evidence.faultsPlanned {
      self = .notDone(
        "only \(evidence.faultsTaken) of \(Self.counted(evidence.faultsPlanned, "successor")) could be met before they were ready."
      )
    } else if !evidence.tooSlow.isEmpty {
      self = .failed("nothing was lost of \(count) requests, but \(evidence.tooSlow.joined(separator: ", ")).")
    } else if evidence.asked == 0 {
      let what = evidence.areStops ? "stop" : "restart"
      self = .passed(
        "nothing was lost of \(count) requests. No \(what) was asked for: nothing is known about \(what)s.")
    } else if evidence.faultsPlanned > 0 {
      self = .passed(
        "nothing was lost of \(count) requests in \(restarts) and \(Self.counted(evidence.faultsTaken, "fault")).")
    } else {
      self = .passed("nothing was lost of \(count) requests in \(restarts)\(turnedAway)\(trusted).")
    }
  }

  private static func counted(_ number: Int, _ one: String, _ many: String? = nil) -> String {
    "\(number) \(number == 1 ? one : many ?? one + "s")"
  }
}
