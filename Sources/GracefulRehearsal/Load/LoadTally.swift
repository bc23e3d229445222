/// What clients of one mode have seen.
package struct LoadTally: Sendable {
  package private(set) var sent = 0
  package private(set) var answered = 0
  package private(set) var failed: [FailureKind: Int] = [:]
  /// What our own machine refused, by errno.
  package private(set) var notSent: [Int32: Int] = [:]
  /// Refused while a stop was going on.
  package private(set) var turnedAway = 0
  package private(set) var announcedCloses = 0
  package private(set) var idleCloses = 0
  private var latencies = LoadPhase.allCases.map { _ in LatencyRecord() }

  package init() {}

  mutating func began() { sent += 1 }

  mutating func ended(_ outcome: RequestOutcome, in phase: LoadPhase, after nanoseconds: Int64) {
    switch outcome {
    case .answered:
      answered += 1
      latencies[phase.rawValue].record(nanoseconds: nanoseconds)
    case .failed(let kind): failed[kind, default: 0] += 1
    case .turnedAway: turnedAway += 1
    case .notSent(let errno): notSent[errno, default: 0] += 1
    }
  }

  /// What was answered had bytes behind it that came later; its latency stays.
  mutating func recant() {
    answered -= 1
    failed[.bytesBehind, default: 0] += 1
  }

  mutating func sawAnnouncedClose() { announcedCloses += 1 }
  mutating func sawIdleClose() { idleCloses += 1 }

  /// Whether every request that began has ended in exactly one class.
  package var isBalanced: Bool {
    sent == answered + turnedAway + failed.values.reduce(0, +) + notSent.values.reduce(0, +)
  }

  package func latency(_ phase: LoadPhase) -> LatencySummary { latencies[phase.rawValue].summary }

  mutating func add(_ other: LoadTally) {
    sent += other.sent
    answered += other.answered
    failed.merge(other.failed, uniquingKeysWith: +)
    notSent.merge(other.notSent, uniquingKeysWith: +)
    turnedAway += other.turnedAway
    announcedCloses += other.announcedCloses
    idleCloses += other.idleCloses
    for index in latencies.indices { latencies[index].add(other.latencies[index]) }
  }
}
