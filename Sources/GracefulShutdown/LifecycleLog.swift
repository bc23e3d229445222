import Logging

/// Progress, one entry after the other, apart from the ladder: a log handler may block (its pipe is full, and nobody
/// reads), and what it blocks must not be a thread that ends the process in time.
final class LifecycleLog: Sendable {

  private let entries: AsyncStream<Entry>.Continuation
  private let writer: Task<Void, Never>
  private let level: Logger.Level

  private struct Entry: Sendable {
    var level: Logger.Level
    var message: String
    var metadata: [String: String]
  }

  init(name: String, logger: Logger) {
    var logger = logger
    logger[metadataKey: "lifecycle.name"] = "\(name)"
    level = logger.logLevel
    let (stream, entries) = AsyncStream.makeStream(of: Entry.self)
    self.entries = entries
    writer = Task.detached { [logger] in
      for await entry in stream {
        let metadata = entry.metadata.mapValues { Logger.MetadataValue.string($0) }
        logger.log(level: entry.level, "\(entry.message)", metadata: metadata)
      }
    }
  }

  deinit { entries.finish() }

  /// Whether an entry of this level would be written: ask before its text is put together.
  func takes(_ level: Logger.Level) -> Bool { level >= self.level }

  func write(_ level: Logger.Level, _ message: @autoclosure () -> String, _ metadata: [String: String] = [:]) {
    guard takes(level) else { return }
    entries.yield(Entry(level: level, message: message(), metadata: metadata))
  }

  /// No more entries; returns when all have been handed to the handler.
  func flush() async {
    entries.finish()
    await writer.value
  }
}
