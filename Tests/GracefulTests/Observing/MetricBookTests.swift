import Foundation
import GracefulShutdown
import GracefulTesting
import Testing

@testable import Graceful

@Suite("What is recorded of a lifecycle", .timeLimit(.minutes(1)))
struct MetricBookTests {
  private let clock = ManualClock()
  private let metrics = RecordingMetrics()

  @Test("has the names, kinds and dimensions of the table in Documentation/Metrics.md, and no others")
  func documented() async throws {
    let shop = Lifecycle("shop", logger: .silent)
    shop.phase("web", script: .obedient, on: clock)
    shop.recordMetrics(in: metrics)
    async let report = shop.run(on: clock)
    await clock.recorder.wait(for: "web: ready")
    shop.requestStop()
    _ = await report
    let kinds =
      metrics.counters.keys.map { ($0, "counter") } + metrics.gauges.keys.map { ($0, "gauge") }
      + metrics.timers.keys.map { ($0, "timer") }
    let recorded = kinds.map { series, kind in
      let parts = series.dropLast().split(separator: "{")
      let dimensions = parts[1].split(separator: ",").map { $0.prefix { $0 != "=" } }.filter { $0 != "lifecycle" }
      return "\(parts[0]) \(kind) \(dimensions.joined(separator: " "))"
    }
    let page = URL(filePath: #filePath).appending(path: "../../../../Documentation/Metrics.md").standardized
    let rows = try String(contentsOf: page, encoding: .utf8).split(separator: "\n").filter {
      $0.hasPrefix("| `graceful_")
    }
    let documented = rows.map { row in
      let cells = row.split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      // Between the quotes.
      let dimensions = cells[3].split(separator: "`", omittingEmptySubsequences: false).enumerated()
        .filter { $0.offset % 2 == 1 }.map { String($0.element) }
      return "\(cells[1].dropFirst().dropLast()) \(cells[2].prefix { $0 != ":" }) \(dimensions.joined(separator: " "))"
    }
    #expect(Set(recorded) == Set(documented))
    #expect(Set(documented).count == documented.count)
  }

  @Test("counts what is new since the last sample, and nothing when that is less")
  func deltas() {
    var book = MetricBook(lifecycle: "shop")
    let shop = Lifecycle("shop", logger: .silent)
    shop.phase("web") { _ in }
    var snapshot = shop.snapshot()
    func counts(_ admitted: Int) -> [Int] {
      snapshot.phases[0].sessionsAdmitted = admitted
      return book.sample(snapshot).compactMap { measurement in
        if case .count(let series, let more) = measurement, series.label.contains("admitted") { more } else { nil }
      }
    }
    #expect(counts(0) == [0])
    #expect(counts(5) == [5])
    #expect(counts(5) == [])
    #expect(counts(4) == [])
    #expect(counts(7) == [2])
  }
}
