#if Metrics
internal import CoreMetrics
internal import Synchronization

/// Calls a metrics factory and what it has made: what is called is the user's, and may block.
final class MetricWriter: Sendable {
  /// An instrument is made once, and never destroyed: a scrape may come after the end.
  private enum Instrument: Sendable {
    case counter(Counter)
    case meter(Meter)
    case timer(Timer)
  }

  private let factory: any MetricsFactory
  private let instruments = Mutex<[MetricBook.Series: Instrument]>([:])

  init(factory: any MetricsFactory) { self.factory = factory }

  /// One call at a time.
  func write(_ measurement: MetricBook.Measurement) {
    switch (measurement, instrument(for: measurement)) {
    case (.count(_, let more), .counter(let counter)): counter.increment(by: more)
    case (.gauge(_, let value), .meter(let meter)): meter.set(value)
    case (.time(_, let duration), .timer(let timer)): timer.recordNanoseconds(Int64(duration / .nanoseconds(1)))
    // Of one name there is one kind.
    case (.count, _), (.gauge, _), (.time, _): break
    }
  }

  private func instrument(for measurement: MetricBook.Measurement) -> Instrument {
    let series = measurement.series
    if let known = instruments.withLock({ $0[series] }) { return known }
    let dimensions = series.dimensions.map { ($0.name, $0.value) }
    // Outside the lock: it is the user's code.
    let made: Instrument =
      switch measurement {
      case .count: .counter(Counter(label: series.label, dimensions: dimensions, factory: factory))
      case .gauge: .meter(Meter(label: series.label, dimensions: dimensions, factory: factory))
      case .time:
        .timer(
          Timer(
            label: series.label, dimensions: dimensions, preferredDisplayUnit: .seconds, factory: factory))
      }
    instruments.withLock { $0[series] = made }
    return made
  }
}

extension MetricBook.Measurement {
  var series: MetricBook.Series {
    switch self {
    case .count(let series, _), .gauge(let series, _), .time(let series, _): series
    }
  }
}
#endif
