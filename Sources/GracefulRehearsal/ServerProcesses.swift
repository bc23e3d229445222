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
  private struct State {
    var children: [ProcessID: ChildProcess] = [:]
    var watches: [ProcessID: ProcessWatch] = [:]
    var deaths: [ProcessID: NIODeadline] = [:]
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
  private let state: Mutex<State>

  package init(
    on loop: PollLoop, environment: [String: String], passesErrorOutput: Bool,
    tell: @escaping @Sendable (DirectorEvent) -> Void
  ) throws(SystemError) {
    let kept = KeptLines(limit: Self.keptLines)
    self.kept = kept
    self.loop = loop
    self.environment = environment
    self.tell = tell
    state = Mutex(State())
    do {
      silence = OwnedDescriptor(
        adopting: try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec))
    } catch {
      throw SystemError(
        operation: "open", subject: "/dev/null", errno: error as? Errno ?? .ioError)
    }
    // A rehearsal starts its children by ChildProcess only, so that nobody else waits for what came to it; and the code
    // of the last old process must be known when the report is made, a moment after its end.
    reaper = try Subreaper(on: loop, every: .milliseconds(50), patience: .zero)
    output = try LineReader(on: loop) { line in
      if let line = ServerLine(line) { tell(.line(line)) }
    }
    errors = passesErrorOutput ? nil : try LineReader(on: loop) { kept.append($0) }
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
    state.withLock { $0.children[child.id] = child }
    child.whenEnded { status in self.died(child.id, status) }
    return child.id
  }

  /// Starts a shell command, with `{pid}` replaced.
  func shell(_ text: String, for pid: ProcessID?) throws(SystemError) -> ProcessID {
    let number = pid.map(\.description) ?? ""
    let line = text.split(separator: "{pid}", omittingEmptySubsequences: false).joined(separator: number)
    return try start(["/bin/sh", "-c", line])
  }

  /// Begins to watch a process that somebody else started.
  package func observe(_ pid: ProcessID) {
    let known = state.withLock { $0.children[pid] != nil || $0.watches[pid] != nil || $0.deaths[pid] != nil }
    guard !known else { return }
    do throws(SystemError) {
      let watch = try ProcessWatch.start(pid, on: loop) { self.died(pid, nil) }
      state.withLock { $0.watches[pid] = watch }
    } catch {
      died(pid, nil)
    }
  }

  private func died(_ pid: ProcessID, _ status: ExitStatus?) {
    state.withLock { $0.deaths[pid] = .now() }
    tell(.ended(pid, status))
  }

  /// - Returns: Whether it was delivered.
  @discardableResult
  package func signal(_ pid: ProcessID, _ number: Int32) -> Bool {
    observe(pid)
    let (child, watch) = state.withLock { ($0.children[pid], $0.watches[pid]) }
    return child?.signal(number) ?? watch?.signal(number) ?? false
  }

  /// When a process ended that is known here.
  package func death(of pid: ProcessID) -> NIODeadline? { state.withLock { $0.deaths[pid] } }

  /// How a process ended, where it was ours or came to us.
  package func status(of pid: ProcessID) -> ExitStatus? {
    state.withLock { $0.children[pid] }?.status ?? reaper.status(of: pid)
  }

  /// All that lives below us.
  package func live() -> [ProcessEntry] { reaper.descendants() }

  /// Ends everything that lives, at the latest with `SIGKILL`, and gives back the descriptors.
  ///
  /// Cancelling the task ends the patience, not the rest.
  /// - Parameter patience: How long processes may take to end by themselves after `SIGTERM`; none sends no `SIGTERM`.
  /// - Returns: What could not be ended; empty unless the system is broken.
  package func end(patience: Duration) async -> [ProcessID] {
    if patience > .zero {
      for entry in live() where entry.parent == .current { signal(entry.id, 15) }
      await poll(for: patience, whileUninterrupted: true) { self.live().isEmpty }
    }
    // Again and again: a process may have started another one between the look and the kill.
    await poll(for: .seconds(5)) {
      let alive = self.live()
      for entry in alive { self.signal(entry.id, 9) }
      return alive.isEmpty
    }
    reaper.reap()
    let left = live().map(\.id)
    reaper.stop()
    output.close()
    errors?.close()
    state.withLock { Array($0.watches.values) }.forEach { $0.cancel() }
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
