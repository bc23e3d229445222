import Logging
import Synchronization

/// A log handler that counts, and keeps nothing.
struct CountingLog: LogHandler {
  final class Count: Sendable {
    private let entries = Atomic(0)
    var value: Int { entries.load(ordering: .relaxed) }
    func add() { entries.add(1, ordering: .relaxed) }
  }

  let count: Count
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.debug

  init(_ count: Count) { self.count = count }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { count.add() }

  static func logger(_ count: Count, level: Logger.Level = .debug) -> Logger {
    var logger = Logger(label: "counting") { _ in CountingLog(count) }
    logger.logLevel = level
    return logger
  }
}
