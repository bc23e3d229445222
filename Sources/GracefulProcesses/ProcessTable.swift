internal import CGracefulSystem
package import GracefulSystem

/// A process of the table.
package struct ProcessEntry: Hashable, Sendable {
  /// A process for ever: a number is used again, a number with its start is not.
  package struct Identity: Hashable, Sendable {
    package var id: ProcessID
    package var started: UInt64
  }

  private let status: ProcessStatus

  /// Its number.
  package var id: ProcessID { ProcessID(rawValue: status.id) }
  /// The process that started or adopted it.
  package var parent: ProcessID { ProcessID(rawValue: status.parent) }
  /// The program's name, at most 15 bytes.
  package var name: String { status.name }
  /// The letter of its state: running R, sleeping S or D, stopped T, zombie Z.
  package var state: Character { status.state }

  /// When it started, in clock ticks since the machine did.
  package var started: UInt64 { status.started }

  /// What tells it from all others, also from those that had its number before.
  package var identity: Identity { Identity(id: id, started: started) }

  /// Whether it has ended and waits to be reaped.
  package var isZombie: Bool { state == "Z" || state == "X" }

  package init(_ status: ProcessStatus) { self.status = status }

  /// Reads one line of /proc/PID/stat; `nil` when it is none.
  package init?(stat: String) {
    guard let status = ProcessStatus(stat.utf8) else { return nil }
    self.init(status)
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
    ProcessStatus.read(id.rawValue).map(ProcessEntry.init)
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
