/// The latencies that decide about the outcome, where they were asked for.
struct LatencyLimits {
  private let maxP99: Duration?
  private let maxLatency: Duration?

  init(_ configuration: RehearsalConfiguration) {
    maxP99 = configuration.maxP99
    maxLatency = configuration.maxLatency
  }

  /// What was slower, in words; in the order of the table.
  func exceeded(by loads: [LoadMode: RehearsalReport.Load]) -> [String] {
    LoadMode.allCases.flatMap { mode in loads[mode].map { exceeded(by: $0, mode) } ?? [] }
  }

  private func exceeded(by load: RehearsalReport.Load, _ mode: LoadMode) -> [String] {
    var found: [String] = []
    if let maxP99 {
      let phases = [("steady", load.steady), ("during restarts", load.restarting), ("between them", load.between)]
      for (name, latency) in phases where latency.p99 > maxP99.milliseconds {
        found.append(
          "the p99 of \(mode.rawValue) \(name) was \(RehearsalReport.milliseconds(latency.p99)) ms, above --max-p99")
      }
    }
    let slowest = max(load.steady.max, load.restarting.max, load.between.max)
    if let maxLatency, slowest > maxLatency.milliseconds {
      found.append(
        "the slowest answer on \(mode.rawValue) took \(RehearsalReport.milliseconds(slowest)) ms, above --max-latency")
    }
    return found
  }
}
