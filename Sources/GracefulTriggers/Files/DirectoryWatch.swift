internal import CGracefulSystem

/// Waits for a change of one name in a directory, for a word from another thread, or for an instant.
///
/// inotify(7) where there is one; elsewhere there is only the instant. One thread uses it.
struct DirectoryWatch: ~Copyable {
  struct Change: OptionSet {
    let rawValue: Int
    /// One of the names may have changed.
    static let changed = Change(rawValue: 1)
    /// The directory has gone, or been moved away.
    static let ended = Change(rawValue: 2)
    static let woken = Change(rawValue: 4)
    /// The instant has come.
    static let due = Change(rawValue: 8)
    /// What is awaited has been put there, and may have gone again.
    static let arrived = Change(rawValue: 16)
  }

  private let calls: StopFileCalls
  private let names: Set<[UInt8]>
  private let awaited: [UInt8]?
  private let wake: Int32
  private var inotify: Int32 = -1
  private var watch: Int32 = -1
  /// How often it was said that there is something to read, and there was nothing.
  private var failures = 0

  /// - Parameters:
  ///   - awaited: The one of these names whose coming is told of.
  ///   - wake: Readable when there is a word from another thread; it stays its owner's.
  init(names: [String], awaited: String? = nil, wake: Int32, calls: StopFileCalls) {
    self.names = Set(names.map { Array($0.utf8) })
    self.awaited = awaited.map { Array($0.utf8) }
    self.wake = wake
    self.calls = calls
  }

  deinit { if inotify >= 0 { calls.close(inotify) } }

  /// - Returns: Whether changes are told of from now on.
  mutating func arm(_ directory: String) -> Bool {
    disarm()
    // It would go round at full speed.
    guard failures < 3 else { return false }
    if inotify < 0 { inotify = calls.inotify() }
    guard inotify >= 0 else { return false }
    watch = calls.watch(inotify, directory)
    return watch >= 0
  }

  mutating func disarm() {
    if watch >= 0 { _ = calls.unwatch(inotify, watch) }
    watch = -1
  }

  /// Waits for whatever comes first.
  mutating func wait(until instant: ContinuousClock.Instant) -> Change {
    let left = instant - .now
    // A day at most, and rounded up, so that it does not go round at full speed before the instant.
    let milliseconds = left <= .zero ? 0 : Int32(min(left / .milliseconds(1), 86_400_000).rounded(.up))
    let isWatching = watch >= 0
    guard let ready = calls.poll(isWatching ? [wake, inotify] : [wake], milliseconds) else {
      // No memory: not at full speed.
      _ = calls.poll([], 10)
      return instant <= .now ? .due : []
    }
    var change: Change = ready.first == true ? .woken : []
    if isWatching, ready.count > 1, ready[1] { change.formUnion(read()) }
    if instant <= .now { change.insert(.due) }
    return change
  }

  private mutating func read() -> Change {
    let bytes = calls.readEvents(inotify)
    guard !bytes.isEmpty else {
      failures += 1
      return .ended
    }
    var change: Change = []
    for event in InotifyEvent.all(in: bytes) {
      if event.mask & cgs_inotify_ends() != 0 {
        // One of an earlier watch says nothing; -1 is that events were lost.
        if event.watch == watch || event.watch == -1 { change.insert(event.watch == -1 ? .changed : .ended) }
      } else if event.watch == watch, event.name.isEmpty || names.contains(event.name) {
        change.insert(.changed)
        if event.name == awaited, event.mask & cgs_inotify_arrives() != 0 { change.insert(.arrived) }
      }
    }
    return change
  }
}

/// One record of inotify(7): an int, three 32-bit numbers, and a name that is filled up with zeros.
struct InotifyEvent: Equatable {
  var watch: Int32
  var mask: UInt32
  var name: [UInt8]

  static func all(in bytes: [UInt8]) -> [InotifyEvent] {
    bytes.withUnsafeBytes { bytes in
      var events: [InotifyEvent] = []
      var start = 0
      while start + 16 <= bytes.count {
        let length = Int(bytes.loadUnaligned(fromByteOffset: start + 12, as: UInt32.self))
        let end = start + 16 + length
        guard end <= bytes.count else { break }
        events.append(
          InotifyEvent(
            watch: bytes.loadUnaligned(fromByteOffset: start, as: Int32.self),
            mask: bytes.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self),
            name: Array(bytes[(start + 16)..<end].prefix { $0 != 0 })))
        start = end
      }
      return events
    }
  }
}
