import Foundation
import Testing

/// What a test asks of the JSON report.
struct RehearsalReport {
  private let json: [String: Any]
  private let load: [String: [String: Any]]

  init(_ text: String) throws {
    json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    load = try #require(json["load"] as? [String: [String: Any]])
  }

  var leftOver: [Int] { json["leftOver"] as? [Int] ?? [] }
  var proofs: [String] { restarts.compactMap { $0["provenBy"] as? String } }
  var pids: [Int] { restarts.compactMap { $0["pid"] as? Int } }
  var oldPids: [Int] { restarts.compactMap { $0["oldPid"] as? Int } }
  var verdict: String? { json["verdict"] as? String }
  var modes: [String] { load.keys.sorted() }
  private var restarts: [[String: Any]] { json["restarts"] as? [[String: Any]] ?? [] }
  private var stops: [[String: Any]] { json["stops"] as? [[String: Any]] ?? [] }
  var stopOutcomes: [String] { stops.compactMap { $0["outcome"] as? String } }
  var stopPids: [Int] { stops.compactMap { $0["pid"] as? Int } }
  var stopCodes: [Int] { stops.compactMap { $0["exitCode"] as? Int } }
  var commandCodes: [Int] { stops.compactMap { $0["commandCode"] as? Int } }
  var endedAfter: [Double] { stops.compactMap { $0["endedAfterMs"] as? Double } }
  var turnedAway: Int { load.values.compactMap { $0["turnedAway"] as? Int }.reduce(0, +) }
  var turnedAwayByStops: Int { stops.compactMap { $0["turnedAway"] as? Int }.reduce(0, +) }
  var outcomes: [String] { restarts.compactMap { $0["outcome"] as? String } }
  var generations: [Int] { restarts.compactMap { $0["generation"] as? Int } }
  var oldExitCodes: [Int] { restarts.compactMap { $0["oldExitCode"] as? Int } }
  var requests: Int { load.values.compactMap { $0["requests"] as? Int }.reduce(0, +) }
  var answered: Int { load.values.compactMap { $0["answered"] as? Int }.reduce(0, +) }
  var announced: Int? {
    load.values.compactMap { ($0["closedByServer"] as? [String: Int])?["announced"] }.reduce(0, +)
  }

  /// Over both modes, those that are not zero.
  var failed: [String: Int] {
    load.values.compactMap { $0["failed"] as? [String: Int] }
      .reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }.filter { $0.value != 0 }
  }

  var sumsHold: Bool {
    load.values.allSatisfy { load in
      guard let requests = load["requests"] as? Int, let answered = load["answered"] as? Int,
        let failed = load["failed"] as? [String: Int], let turnedAway = load["turnedAway"] as? Int
      else { return false }
      return requests == answered + turnedAway + failed.values.reduce(0, +)
    }
  }
}
