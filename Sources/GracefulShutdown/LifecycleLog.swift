import Logging
import Synchronization

/// Progress, one entry after the other, by a thread that may block: a log handler may (its pipe is full, and is not
/// read), and what it blocks must not be a thread that ends the process in time.
///
/// Nor does it take one of the cooperative pool: when all of these are blocked, the log is wanted most.
final class LifecycleLog: Sendable {
  private struct Entry: Sendable {
    var level: Logger.Level
    var message: String
    var metadata: [String: String]
  }

  private struct State {
    var entries: [Entry] = []
    /// From the first entry on, until none is left.
    var isWriting = false
    var hasFinished = false
    var waiters: [FirstOf] = []
  }

  /// When the handler blocks, so many of the newest are kept, or a few more.
  private static var mostEntries: Int { 4096 }

  private let state = Mutex(State())
  private let logger: Logger
  private let level: Logger.Level
  private let environment: any LifecycleEnvironment

  /// - Parameter level: Of the logger, read by the caller, once: a log handler may block when it is asked.
  init(name: String, logger: Logger, level: Logger.Level, environment: any LifecycleEnvironment) {
    self.level = level
    var logger = logger
    logger[metadataKey: "lifecycle.name"] = "\(name)"
    self.logger = logger
    self.environment = environment
  }

  /// Whether an entry of this level would be written: ask before its text is put together.
  func takes(_ level: Logger.Level) -> Bool { level >= self.level }

  func write(_ level: Logger.Level, _ message: @autoclosure () -> String, _ metadata: [String: String] = [:]) {
    guard takes(level) else { return }
    let entry = Entry(level: level, message: message(), metadata: metadata)
    let isFirst = state.withLock { state in
      guard !state.hasFinished else { return false }
      // Many at a time, or each that comes would move all that is there.
      if state.entries.count >= 2 * Self.mostEntries { state.entries.removeFirst(Self.mostEntries) }
      state.entries.append(entry)
      defer { state.isWriting = true }
      return !state.isWriting
    }
    // It holds this log until the last entry is written, whatever else lets go of it before.
    if isFirst { environment.performLogging { [self] in writeAll() } }
  }

  private func writeAll() {
    while let entries = takeAll() {
      for entry in entries {
        let metadata = entry.metadata.mapValues { Logger.MetadataValue.string($0) }
        logger.log(level: entry.level, "\(entry.message)", metadata: metadata)
      }
    }
  }

  /// In the same step as nothing is left, nothing is writing: the next entry starts a writer.
  private func takeAll() -> [Entry]? {
    let (entries, waiters): ([Entry]?, [FirstOf]) = state.withLock { state in
      guard !state.entries.isEmpty else {
        state.isWriting = false
        defer { state.waiters = [] }
        return (nil, state.waiters)
      }
      defer { state.entries = [] }
      return (state.entries, [])
    }
    for waiter in waiters { waiter.resume() }
    return entries
  }

  /// No more entries; returns when all have been handed to the handler, or when the limit is over: a handler that blocks
  /// must not keep the report back.
  func flush(within limit: Duration) async {
    await withCheckedContinuation { continuation in
      let first = FirstOf(continuation)
      let isWritten = state.withLock { state in
        state.hasFinished = true
        if state.isWriting { state.waiters.append(first) }
        return !state.isWriting
      }
      if isWritten { return first.resume() }
      environment.schedule(at: environment.now() + limit) { first.resume() }
    }
  }

  /// The same before an exit at once, when the caller of `run()` may never run again: it blocks this thread.
  func flushNow(within limit: Duration) {
    environment.wait(atMost: limit) { state.withLock { !$0.isWriting } }
  }
}

/// The first that comes resumes it.
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
