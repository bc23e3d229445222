internal import CGracefulSystem
internal import SystemPackage

/// What /proc/PID/stat says of a process (proc_pid_stat(5)).
package struct ProcessEntry: Hashable, Sendable {
  /// A process for ever: a number is used again, a number with its start is not.
  package struct Identity: Hashable, Sendable {
    package var id: ProcessID
    package var started: UInt64
  }

  /// Its number.
  package var id: ProcessID
  /// The process that started or adopted it.
  package var parent: ProcessID
  /// The program's name, at most 15 bytes.
  package var name: String
  /// The letter of its state: running R, sleeping S or D, stopped T, zombie Z.
  package var state: Character
  /// When it started, in clock ticks since the machine did: with the number it names a process for ever.
  package var started: UInt64

  /// What tells it from all others, also from those that had its number before.
  package var identity: Identity { Identity(id: id, started: started) }

  /// Whether it has ended and waits to be reaped.
  package var isZombie: Bool { state == "Z" || state == "X" }

  /// Reads one line of /proc/PID/stat.
  ///
  /// The name may contain spaces and parentheses: it ends at the last one.
  package init?(stat: String) {
    guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")"), open < close else { return nil }
    let fields = stat[stat.index(after: close)...].split(whereSeparator: \.isWhitespace)
    guard
      let id = Int32(stat[..<open].trimmingSpaces), fields.count >= 20, let state = fields[0].first,
      let parent = Int32(fields[1]), let started = UInt64(fields[19])
    else { return nil }
    self.id = ProcessID(rawValue: id)
    self.parent = ProcessID(rawValue: parent)
    self.name = String(stat[stat.index(after: open)..<close])
    self.state = state
    self.started = started
  }
}

/// The processes of this machine at one moment.
package enum ProcessTable {
  /// All of them.
  ///
  /// What ends while this reads is left out.
  package static func all() -> [ProcessEntry] {
    var room = 1024
    while true {
      let numbers = [Int32](unsafeUninitializedCapacity: room) { buffer, count in
        count = Int(max(0, cgs_processes(buffer.baseAddress, room)))
      }
      if numbers.count < room { return numbers.compactMap { entry(ProcessID(rawValue: $0)) } }
      room *= 4
    }
  }

  /// One process, or `nil` when it is gone.
  package static func entry(_ id: ProcessID) -> ProcessEntry? {
    guard let file = try? FileDescriptor.open("/proc/\(id)/stat", .readOnly, options: .closeOnExec) else { return nil }
    defer { try? file.close() }
    let bytes = [UInt8](unsafeUninitializedCapacity: 1024) { buffer, count in
      count = (try? file.read(into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
    }
    return ProcessEntry(stat: String(decoding: bytes, as: UTF8.self))
  }

  /// All that have `ancestor` above them, in the order parents first.
  package static func descendants(of ancestor: ProcessID, among all: [ProcessEntry]) -> [ProcessEntry] {
    let children = Dictionary(grouping: all, by: \.parent)
    var found: [ProcessEntry] = []
    var seen: Set<ProcessID> = [ancestor]
    var next = [ancestor]
    // The table is not one moment: a number may appear twice or above itself. Each is followed once.
    while let parent = next.popLast() {
      for child in children[parent] ?? [] where seen.insert(child.id).inserted {
        found.append(child)
        next.append(child.id)
      }
    }
    return found
  }
}

extension Substring {
  fileprivate var trimmingSpaces: Substring { drop { $0 == " " }.prefix { $0 != " " } }
}
