internal import GracefulProcesses
internal import SystemPackage

/// Who is the newest process of a server that does not say it.
///
/// With a pid file that is what the file says. Without one it is found in the tree of processes below the rehearsal: a
/// process that comes from a known server process that lives (a worker of nginx after its reload) is that server's own
/// affair, and the server stays the newest. So does an old process whose successor is its child, for as long as it
/// lives: where such a server still finishes old work at the next restart, `--pid-file` is needed.
extension Director {
  /// Whom a signal or a `{pid}` means now.
  func currentNewest() -> ProcessID? {
    if let named = pidFromFile() { return named }
    guard !command.isDemo, let newest, !processes.isAlive(newest) else { return newest }
    // It has ended: what it left behind has come to us.
    return Self.youngestRoot(processes.live(), except: []) ?? newest
  }

  /// The newest process after a start or a restart of a server that does not say who serves.
  ///
  /// - Parameter answering: The new process that answers, where that is known.
  func newestOf(_ witness: RestartWitness, answering: Int32? = nil) -> ProcessID? {
    if let named = pidFromFile() { return named }
    let live = processes.live()
    if let answering { return witness.top(above: answering, among: live) ?? currentNewest() }
    return Self.youngestRoot(live, except: witness.before) ?? currentNewest()
  }

  /// Of the processes that come from none of the others, the youngest.
  static func youngestRoot(_ live: [ProcessEntry], except known: Set<ProcessEntry.Identity>) -> ProcessID? {
    let ids = Set(live.map(\.id))
    return live.filter { !ids.contains($0.parent) && !known.contains($0.identity) }.youngest
  }

  /// Whether a restart left the process in place that was asked for it: it replaced its workers, and not itself.
  ///
  /// - Parameter last: The newest process at the end of the run.
  func stayed(_ index: Int, last: ProcessID?) -> Bool {
    guard !command.isDemo, records[index].seemsServed, let old = records[index].old else { return false }
    return (records.indices.contains(index + 1) ? records[index + 1].old : last) == old
  }

  /// Which processes were to end and live: those that were replaced, and what was below them at that time.
  ///
  /// Below a demo there is nothing but its generations. Another server's new process may have helpers of its own. Workers
  /// of a server that stayed are not among them: which of them were to end, only that server knows.
  func outlivers(newest: ProcessID?) -> [ProcessID] {
    let live = processes.live()
    if command.isDemo { return live.map(\.id).filter { $0 != newest } }
    var old: Set<ProcessEntry.Identity> = []
    for index in records.indices where records[index].old != newest && !stayed(index, last: newest) {
      old.formUnion(records[index].oldTree)
    }
    if let newest { old.subtract(ServerProcesses.tree(of: newest, among: live)) }
    return live.filter { old.contains($0.identity) }.map(\.id)
  }

  /// The process that the file names, while it lives and may be the server's.
  private func pidFromFile() -> ProcessID? {
    guard let pid = numberInFile(), processes.isAlive(pid), !processes.isStranger(pid) else { return nil }
    return pid
  }

  /// Refuses to go on where the file names a process that was there before the server's command: its number is not the
  /// server's any more, or not yet, and a signal would end a stranger.
  func checkPidFile() throws(NotDone) {
    guard let path = configuration.pidFile, let pid = numberInFile(), processes.isAlive(pid), processes.isStranger(pid)
    else {
      return
    }
    let name = ProcessTable.entry(pid).map { " (\($0.name))" } ?? ""
    throw NotDone("\(path) names process \(pid)\(name), which is older than the server's command: it is not signalled.")
  }

  private func numberInFile() -> ProcessID? {
    guard let path = configuration.pidFile,
      let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
    else { return nil }
    defer { try? file.close() }
    var bytes = [UInt8](repeating: 0, count: 32)
    guard let count = try? bytes.withUnsafeMutableBytes({ try file.read(into: $0) }),
      let word = String(decoding: bytes[..<count], as: UTF8.self).split(whereSeparator: \.isWhitespace).first,
      let pid = Int32(word), pid > 1
    else { return nil }
    return ProcessID(rawValue: pid)
  }
}

extension ServerProcesses {
  /// Whether it lives below us, or anywhere.
  func isAlive(_ pid: ProcessID) -> Bool { ProcessTable.entry(pid).map { !$0.isZombie } == true }

  /// It and everything below it, now.
  func tree(of pid: ProcessID) -> Set<ProcessEntry.Identity> { Self.tree(of: pid, among: live()) }

  fileprivate static func tree(of pid: ProcessID, among live: [ProcessEntry]) -> Set<ProcessEntry.Identity> {
    Set((live.filter { $0.id == pid } + ProcessTable.descendants(of: pid, among: live)).map(\.identity))
  }

  /// Of the processes that were not there before, the process that the others come from; of several, the youngest.
  func top(since before: Set<ProcessEntry.Identity>) -> ProcessID? { Self.top(since: before, among: live()) }

  /// The same, in a table of all processes.
  static func top(since before: Set<ProcessEntry.Identity>, in table: [ProcessEntry]) -> ProcessID? {
    top(since: before, among: ProcessTable.descendants(of: .current, among: table).filter { !$0.isZombie })
  }

  private static func top(since before: Set<ProcessEntry.Identity>, among live: [ProcessEntry]) -> ProcessID? {
    let new = live.filter { !before.contains($0.identity) }
    let ids = Set(new.map(\.id))
    return new.filter { !ids.contains($0.parent) }.youngest
  }
}

extension [ProcessEntry] {
  fileprivate var youngest: ProcessID? { self.max { ($0.started, $0.id) < ($1.started, $1.id) }?.id }
}
