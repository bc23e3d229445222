package import GracefulProcesses

/// How it is known that a new process serves.
public enum RestartProof: String, Hashable, Sendable, Codable {
  /// By its own word: its `serving` line, or a header or body that names its process or its generation.
  case word
  /// By the connection that was answered: its other end was open in the new process, or in a process that this one had
  /// started, and in no other.
  case connection
  /// It is not known; `--trust-restart` has it count.
  case trust
}

/// From which process an answer came, seen from a restart.
package enum AnswerSource: Hashable, Sendable {
  /// A process that the restart brought, where its number is known.
  case new(Int32?, RestartProof)
  /// A process that was there before.
  case old(Int32)
  /// Neither can be said.
  case unknown
}

/// Tells the processes that a restart brings from those that were there before.
package struct RestartWitness: Sendable {
  /// Every process of the machine when the restart was asked for.
  package private(set) var before: Set<ProcessEntry.Identity>
  /// The processes that answered then: old ones, also where they do not live below the rehearsal.
  private let answering: Set<ProcessEntry.Identity>
  /// The generation that they named.
  private let generation: Int?

  package init(before: [ProcessEntry], answering: [ProcessEntry] = [], generation: Int? = nil) {
    self.before = Set(before.map(\.identity))
    self.answering = Set(answering.map(\.identity))
    self.generation = generation
  }

  package func isNew(_ entry: ProcessEntry) -> Bool { !before.contains(entry.identity) }

  /// From which process an answer came.
  ///
  /// - Parameters:
  ///   - word: What the answer says itself.
  ///   - holders: The processes that had the other end of its connection.
  ///   - known: The table of processes before the connection was made: a process that an old server starts for each
  ///     connection is new, too, and proves nothing.
  ///   - table: The table after the answer.
  package func source(
    word: AnswerWord, holders: [ProcessEntry], known: [ProcessEntry], table: [ProcessEntry]
  ) -> AnswerSource {
    let entries = Dictionary(table.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    let seen = Set(known.map(\.identity))
    if let pid = word.pid, let entry = entries[ProcessID(rawValue: pid)] {
      switch origin(of: entry, entries, seen) {
      case .new: return .new(pid, .word)
      case .old where isOld(entry, entries): return .old(pid)
      // A number that means a process of another kind here, or none yet.
      case .old, .unknown: break
      }
    }
    if let now = word.generation, let generation, now > generation { return .new(nil, .word) }
    var newest: Int32?
    for holder in holders {
      switch origin(of: holder, entries, seen) {
      case .new: newest = newest ?? holder.id.rawValue
      // A child that has just been started has what its old server has: one old process is enough.
      case .old: return isOld(holder, entries) ? .old(holder.id.rawValue) : .unknown
      case .unknown: return .unknown
      }
    }
    return newest.map { .new($0, .connection) } ?? .unknown
  }

  private enum Origin {
    case new, old, unknown
  }

  /// New is a process that was seen to live before the connection was made, and what comes from it.
  private func origin(
    of entry: ProcessEntry, _ entries: [ProcessID: ProcessEntry], _ known: Set<ProcessEntry.Identity>
  ) -> Origin {
    var visited: Set<ProcessID> = []
    var next: ProcessEntry? = entry
    while let entry = next, visited.insert(entry.id).inserted {
      if !isNew(entry) {
        // A process that has come to the rehearsal itself, or to init, since the connection was made: where from, is not
        // to be seen any more.
        return visited.count > 1 && (entry.id == .current || entry.id.rawValue == 1) ? .unknown : .old
      }
      if known.contains(entry.identity) { return .new }
      next = entries[entry.parent]
    }
    return .unknown
  }

  /// Whether it is the server's, and not any other process of this machine.
  private func isOld(_ entry: ProcessEntry, _ entries: [ProcessID: ProcessEntry]) -> Bool {
    if answering.contains(entry.identity) { return true }
    var visited: Set<ProcessID> = []
    var next: ProcessEntry? = entry
    while let entry = next, visited.insert(entry.id).inserted {
      if entry.parent == .current { return true }
      next = entries[entry.parent]
    }
    return false
  }

  /// The process at the top of those that the restart brought, above one of them; `nil` when that comes from an old
  /// server process that lives: it stays, and has replaced its workers.
  package func top(above pid: Int32, among live: [ProcessEntry]) -> ProcessID? {
    let entries = Dictionary(live.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var visited: Set<ProcessID> = []
    guard var entry = entries[ProcessID(rawValue: pid)], isNew(entry) else { return nil }
    while visited.insert(entry.id).inserted, let parent = entries[entry.parent] {
      guard isNew(parent) else { return nil }
      entry = parent
    }
    return entry.id
  }
}
