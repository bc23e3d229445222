internal import CGracefulSystem
package import GracefulDescriptors
package import GracefulProcesses
package import NIOCore
internal import Synchronization
internal import SystemPackage

/// What the director waits for.
package enum DirectorEvent: Hashable, Sendable {
  case line(ServerLine)
  case ended(ProcessID, ExitStatus?)
  case alarm(Int)
}

/// Every process of the rehearsal: those it started, those it heard of, and those it adopted.
package final class ServerProcesses: Sendable {
  private enum Handle {
    case child(ChildProcess)
    case watched(ProcessWatch)
  }

  /// How many lines of standard error are kept.
  private static let keptLines = 20

  private let loop: PollLoop
  private let environment: [String: String]
  private let tell: @Sendable (DirectorEvent) -> Void
  private let reaper: Subreaper
  private let output: LineReader
  private let errors: LineReader?
  private let silence: OwnedDescriptor
  private let kept: KeptLines
  private let lives = Mutex(ServerLives<Handle>())
  /// What was there before the first command, and when that was: no server of ours, whatever has its number.
  private let strangers: Set<ProcessEntry.Identity>
  private let firstTick: UInt64

  package init(
    on loop: PollLoop, environment: [String: String], passesErrorOutput: Bool,
    tell: @escaping @Sendable (DirectorEvent) -> Void
  ) throws(SystemError) {
    let kept = KeptLines(limit: Self.keptLines)
    self.kept = kept
    self.loop = loop
    self.environment = environment
    self.tell = tell
    do {
      silence = OwnedDescriptor(
        adopting: try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec))
    } catch {
      throw SystemError(
        operation: "open", subject: "/dev/null", errno: error as? Errno ?? .ioError)
    }
    // A rehearsal starts its children by ChildProcess only, so that nothing else waits for what came to it; and the code
    // of the last old process must be known when the report is made, a moment after its end.
    reaper = try Subreaper(on: loop, every: .milliseconds(50), patience: .zero)
    output = try LineReader(on: loop) { line in
      if let line = ServerLine(line) { tell(.line(line)) }
    }
    errors = passesErrorOutput ? nil : try LineReader(on: loop) { kept.append($0) }
    let before = ProcessTable.all()
    strangers = Set(before.map(\.identity))
    firstTick = before.map(\.started).max() ?? 0
    reaper.start()
  }

  /// The last lines that servers wrote to their standard error.
  package var lastErrorLines: [String] { kept.lines }

  /// Starts a process whose output is read here.
  package func start(_ words: [String], own: [String: String] = [:]) throws(SystemError) -> ProcessID {
    var descriptors = [
      Command.Descriptor(ours: silence.borrowed.rawValue, childs: 0),
      Command.Descriptor(ours: output.writer, childs: 1),
    ]
    if let errors { descriptors.append(Command.Descriptor(ours: errors.writer, childs: 2)) }
    let child = try ChildProcess.spawn(
      Command(
        words[0], arguments: Array(words.dropFirst()), environment: environment, own: own, descriptors: descriptors),
      on: loop)
    let (life, _) = begin(child.id)
    lives.withLock { $0.attach(.child(child), to: child.id, life) }
    child.whenEnded { status in self.died(child.id, life, status) }
    return child.id
  }

  /// Starts a shell command, with `{pid}` replaced.
  func shell(_ text: String, for pid: ProcessID?) throws(SystemError) -> ProcessID {
    let number = pid.map(\.description) ?? ""
    let line = text.split(separator: "{pid}", omittingEmptySubsequences: false).joined(separator: number)
    return try start(["/bin/sh", "-c", line])
  }

  /// Begins to watch a process that the rehearsal did not start itself.
  package func observe(_ pid: ProcessID) {
    let known = lives.withLock { $0[pid] }
    // What has ended and lives below us is another one, with the same number. What lives elsewhere is a stranger.
    guard known == nil || (known?.endedAt != nil && live().contains { $0.id == pid }) else { return }
    guard !isStranger(pid) else { return }
    let (life, reaped) = begin(pid)
    do throws(SystemError) {
      let watch = try ProcessWatch.start(pid, on: loop) { self.died(pid, life, nil) }
      lives.withLock { $0.attach(.watched(watch), to: pid, life) }
    } catch {
      died(pid, life, known == nil ? reaped : nil)
    }
  }

  /// - Returns: How one ended that was reaped with this number before: the one before it, or itself when it is gone.
  private func begin(_ pid: ProcessID) -> (life: Int, reaped: ExitStatus?) {
    let reaped = reaper.takeStatus(of: pid)
    return (lives.withLock { $0.began(pid, at: .now(), before: reaped) }, reaped)
  }

  private func died(_ pid: ProcessID, _ life: Int, _ status: ExitStatus?) {
    guard lives.withLock({ $0.ended(pid, life, status, at: .now()) }) else { return }
    tell(.ended(pid, status))
  }

  /// Whether the number means a process that is older than the server's command: it is never signalled, whatever file,
  /// line or answer names it.
  func isStranger(_ pid: ProcessID) -> Bool {
    guard let entry = ProcessTable.entry(pid) else { return false }
    return entry.started < firstTick || strangers.contains(entry.identity)
  }

  /// - Returns: Whether it was delivered; never to a process that is older than the server's command.
  @discardableResult
  package func signal(_ pid: ProcessID, _ number: Int32) -> Bool {
    observe(pid)
    switch lives.withLock({ $0[pid]?.handle }) {
    case .child(let child): return child.signal(number)
    case .watched(let watch): return watch.signal(number)
    case nil: return false
    }
  }

  /// When the process ended that has this number, or had it last.
  package func death(of pid: ProcessID) -> NIODeadline? { lives.withLock { $0[pid]?.endedAt } }

  /// How the process ended that has this number, or had it last, where it was ours or came to us.
  package func status(of pid: ProcessID) -> ExitStatus? {
    lives.withLock { $0[pid]?.status } ?? reaper.status(of: pid)
  }

  /// When and how the process ended that had this number at that time.
  func end(of pid: ProcessID, at instant: NIODeadline) -> (at: NIODeadline, status: ExitStatus?)? {
    let (life, last) = lives.withLock { ($0.life(of: pid, at: instant), $0[pid]) }
    guard let life, let endedAt = life.endedAt else { return nil }
    return (endedAt, life.status ?? (life.beganAt == last?.beganAt ? reaper.status(of: pid) : nil))
  }

  /// All that lives below us.
  ///
  /// The table of processes is not one moment: a process whose parent ends while it is read may belong to no process in
  /// it. So one look is not believed: two must agree, and none counts as empty while there is a child.
  package func live() -> [ProcessEntry] {
    var last = reaper.descendants()
    for _ in 0..<5 {
      let again = reaper.descendants()
      if again.map(\.identity) == last.map(\.identity), !again.isEmpty || isEmpty { return again }
      last = again
    }
    return last
  }

  /// Whether nothing lives below us, as the kernel says it at one moment: what its parent leaves behind comes to us, so that
  /// without a child there is nothing.
  package var isEmpty: Bool {
    reaper.reap()
    var dead = cgs_exit()
    return cgs_peek_exited(&dead) == -Errno.noChildProcess.rawValue
  }

  /// Ends everything that lives, at the latest with `SIGKILL`, and gives back the descriptors.
  ///
  /// Cancelling the task ends the patience, not the rest.
  /// - Parameter patience: How long processes may take to end by themselves after `SIGTERM`; none sends no `SIGTERM`.
  /// - Returns: What could not be ended; empty unless the system is broken.
  package func end(patience: Duration) async -> [ProcessID] {
    if patience > .zero {
      for entry in live() where entry.parent == .current { signal(entry.id, 15) }
      await poll(for: patience, whileUninterrupted: true) { self.isEmpty }
    }
    // Again and again: a process may have started another one between the look and the kill.
    await poll(for: .seconds(5)) {
      for entry in self.live() { self.signal(entry.id, 9) }
      return self.isEmpty
    }
    reaper.reap()
    let left = live().map(\.id)
    reaper.stop()
    output.close()
    errors?.close()
    for case .watched(let watch) in lives.withLock({ $0.handles }) { watch.cancel() }
    return left
  }

  /// Looks again and again until `done`, at most for a time.
  ///
  /// - Parameter whileUninterrupted: Whether cancelling the task ends it. It does not by default: this is how the end
  ///   after Ctrl-C is awaited.
  package func poll(for limit: Duration, whileUninterrupted: Bool = false, until done: () -> Bool) async {
    let deadline = ContinuousClock.now + limit
    while !done(), ContinuousClock.now < deadline, !(whileUninterrupted && Task.isCancelled) {
      await withCheckedContinuation { continuation in
        _ = loop.schedule(at: .now + .milliseconds(20)) { continuation.resume() }
      }
    }
  }
}

/// The last lines of an output.
private final class KeptLines: Sendable {
  private let limit: Int
  private let kept = Mutex<[String]>([])

  init(limit: Int) {
    self.limit = limit
  }

  var lines: [String] { kept.withLock { $0 } }

  func append(_ line: String) {
    kept.withLock { kept in
      kept.append(line)
      if kept.count > limit { kept.removeFirst() }
    }
  }
}
