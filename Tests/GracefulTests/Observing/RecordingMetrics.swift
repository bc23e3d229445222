import GracefulTesting
import Metrics
import Synchronization

/// A metrics factory that keeps what it is told, under `label{name=value,…}`.
final class RecordingMetrics: MetricsFactory {
  private struct State {
    var counters: [String: Int64] = [:]
    var gauges: [String: Double] = [:]
    var timers: [String: [Int64]] = [:]
    var units: [String: TimeUnit] = [:]
    var made: [String] = []
  }

  private let state = Mutex(State())
  /// Every call, in order: `label{…} value`.
  let calls = Recorder()

  /// The sums.
  var counters: [String: Int64] { state.withLock { $0.counters } }
  /// The last of each.
  var gauges: [String: Double] { state.withLock { $0.gauges } }
  /// In nanoseconds.
  var timers: [String: [Int64]] { state.withLock { $0.timers } }
  var units: [String: TimeUnit] { state.withLock { $0.units } }
  /// Everything that was made, in order; what was made twice, twice.
  var made: [String] { state.withLock { $0.made } }

  private final class Counting: CounterHandler {
    let record: @Sendable (Int64) -> Void
    init(_ record: @escaping @Sendable (Int64) -> Void) { self.record = record }
    func increment(by more: Int64) { record(more) }
    func reset() {}
  }

  private final class Metering: MeterHandler {
    let record: @Sendable (Double) -> Void
    init(_ record: @escaping @Sendable (Double) -> Void) { self.record = record }
    func set(_ value: Int64) { record(Double(value)) }
    func set(_ value: Double) { record(value) }
    func increment(by more: Double) {}
    func decrement(by less: Double) {}
  }

  private final class Timing: TimerHandler {
    let record: @Sendable (Int64) -> Void
    let unit: @Sendable (TimeUnit) -> Void
    init(_ record: @escaping @Sendable (Int64) -> Void, unit: @escaping @Sendable (TimeUnit) -> Void) {
      self.record = record
      self.unit = unit
    }
    func recordNanoseconds(_ duration: Int64) { record(duration) }
    func preferDisplayUnit(_ unit: TimeUnit) { self.unit(unit) }
  }

  private func make(_ label: String, _ dimensions: [(String, String)]) -> String {
    let name = label + "{" + dimensions.map { "\($0)=\($1)" }.joined(separator: ",") + "}"
    state.withLock { $0.made.append(name) }
    return name
  }

  func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
    let name = make(label, dimensions)
    return Counting { [self] more in
      state.withLock { $0.counters[name, default: 0] += more }
      calls.record("\(name) \(more)")
    }
  }

  func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
    let name = make(label, dimensions)
    return Metering { [self] value in
      state.withLock { $0.gauges[name] = value }
      calls.record("\(name) \(value)")
    }
  }

  func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
    let name = make(label, dimensions)
    return Timing { [self] duration in
      state.withLock { $0.timers[name, default: []].append(duration) }
      calls.record("\(name) \(duration)")
    } unit: { [self] unit in
      state.withLock { $0.units[name] = unit }
    }
  }

  // The lifecycle makes no recorder.
  func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
    NOOPMetricsHandler.instance
  }
  func destroyCounter(_ handler: any CounterHandler) {}
  func destroyMeter(_ handler: any MeterHandler) {}
  func destroyRecorder(_ handler: any RecorderHandler) {}
  func destroyTimer(_ handler: any TimerHandler) {}
}
