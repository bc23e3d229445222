internal import CGracefulSystem

/// Waits for a change of some names in a directory, for a word from another thread, or for an instant.
///
/// inotify(7) where there is one; elsewhere there is only the instant. One thread uses it.
package struct DirectoryWatch: ~Copyable {
  package struct Change: OptionSet, Sendable {
    package let rawValue: Int
    package init(rawValue: Int) { self.rawValue = rawValue }
    /// One of the names may have changed.
    package static let changed = Change(rawValue: 1)
    /// The directory has gone, or been moved away.
    package static let ended = Change(rawValue: 2)
    package static let woken = Change(rawValue: 4)
    /// The instant has come.
    package static let due = Change(rawValue: 8)
    /// What is awaited has been put there, and may have gone again.
    package static let arrived = Change(rawValue: 16)
  }

  /// The seam to the system, so that a test can make a call fail: each number is a value >= 0, or `-errno`.
  package struct Calls: Sendable {
    package var inotify: @Sendable () -> Int32
    package var watch: @Sendable (_ inotify: Int32, _ directory: String) -> Int32
    /// poll(2) for reading: which are ready; `nil` when it failed.
    package var poll: @Sendable (_ descriptors: [Int32], _ milliseconds: Int32) -> [Bool]?

    package static let live = Calls(
      inotify: { cgs_inotify() }, watch: { inotify, directory in cgs_inotify_watch(inotify, directory) },
      poll: { descriptors, milliseconds in
        var entries = descriptors.map { cgs_poll(fd: $0, wanted: Int16(CGS_POLL_IN), happened: 0) }
        let count = cgs_poll(&entries, entries.count, milliseconds)
        return count < 0 ? nil : entries.map { $0.happened != 0 }
      })
  }

  private let calls: Calls
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
  package init(names: [String], awaited: String? = nil, wake: Int32, calls: Calls = .live) {
    self.names = Set(names.map { Array($0.utf8) })
    self.awaited = awaited.map { Array($0.utf8) }
    self.wake = wake
    self.calls = calls
  }

  deinit { if inotify >= 0 { _ = cgs_close(inotify) } }

  /// - Returns: Whether changes are told of from now on.
  package mutating func arm(_ directory: String) -> Bool {
    disarm()
    // It would go round at full speed.
    guard failures < 3 else { return false }
    if inotify < 0 { inotify = calls.inotify() }
    guard inotify >= 0 else { return false }
    watch = calls.watch(inotify, directory)
    return watch >= 0
  }

  package mutating func disarm() {
    if watch >= 0 { _ = cgs_inotify_unwatch(inotify, watch) }
    watch = -1
  }

  /// Waits for the first of these.
  package mutating func wait(until instant: ContinuousClock.Instant) -> Change {
    let isWatching = watch >= 0
    guard let ready = calls.poll(isWatching ? [wake, inotify] : [wake], PollTimeout.milliseconds(instant - .now)) else {
      // No memory: not at full speed.
      PollTimeout.pause(.milliseconds(10))
      return instant <= .now ? .due : []
    }
    var change: Change = ready.first == true ? .woken : []
    if isWatching, ready.count > 1, ready[1] { change.formUnion(read()) }
    if instant <= .now { change.insert(.due) }
    return change
  }

  private mutating func read() -> Change {
    // As many events as there are, without waiting.
    guard let bytes = FileBeginning.read(inotify, atMost: 4096), !bytes.isEmpty else {
      failures += 1
      return .ended
    }
    var change: Change = []
    for event in InotifyEvent.all(in: bytes) {
      if event.mask & cgs_inotify_ends() != 0 {
        // An event of an earlier watch says nothing; -1 is that events were lost.
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
package struct InotifyEvent: Equatable, Sendable {
  package var watch: Int32
  package var mask: UInt32
  package var name: [UInt8]

  package init(watch: Int32, mask: UInt32, name: [UInt8]) {
    self.watch = watch
    self.mask = mask
    self.name = name
  }

  package static func all(in bytes: [UInt8]) -> [InotifyEvent] {
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
