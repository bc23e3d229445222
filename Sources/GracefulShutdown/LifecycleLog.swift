import Logging
import Synchronization

/// Progress, one entry after the other, apart from the ladder: a log handler may block (its pipe is full, and nobody
/// reads), and what it blocks must not be a thread that ends the process in time.
final class LifecycleLog: Sendable {

  private let entries: AsyncStream<Entry>.Continuation
  private let writer: Task<Void, Never>
  private let level: Logger.Level

  /// When the handler blocks, the oldest of more are dropped.
  private static var mostEntries: Int { 4096 }

  private struct Entry: Sendable {
    var level: Logger.Level
    var message: String
    var metadata: [String: String]
  }

  init(name: String, logger: Logger) {
    var logger = logger
    logger[metadataKey: "lifecycle.name"] = "\(name)"
    level = logger.logLevel
    let (stream, entries) = AsyncStream.makeStream(
      of: Entry.self, bufferingPolicy: .bufferingNewest(Self.mostEntries))
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

  /// No more entries; returns when all have been handed to the handler, or when the limit is over: a handler that blocks
  /// must not keep the report back.
  func flush(within limit: Duration, in environment: any LifecycleEnvironment) async {
    entries.finish()
    let writer = writer
    await withCheckedContinuation { continuation in
      let first = FirstOf(continuation)
      Task.detached {
        await writer.value
        first.resume()
      }
      environment.schedule(at: environment.now() + limit) { first.resume() }
    }
  }
}

/// Whoever comes first resumes it.
private final class FirstOf: Sendable {
  private let continuation: Mutex<CheckedContinuation<Void, Never>?>

  init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = Mutex(continuation) }

  func resume() {
    let waiter = continuation.withLock { continuation in
      defer { continuation = nil }
      return continuation
    }
    waiter?.resume()
  }
}
