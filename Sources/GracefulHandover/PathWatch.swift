internal import GracefulDescriptors
internal import GracefulSystem
internal import Synchronization

/// Looks whether a socket's path still leads to it, and has it made anew when it does not.
///
/// A cleaner of `/tmp` removes it, or its directory is replaced: the process would be found by no command and no successor for
/// the rest of its life. Changes of the directory are told by the system where it can; beside that it is looked at now and
/// then, because a directory further up may have been moved.
///
/// On the poll loop's thread.
final class PathWatch: Sendable {
  /// What came of making it anew.
  enum Outcome: Equatable, Sendable {
    case inPlace
    case madeAnew
    /// Ask again in a moment.
    case later
    /// It cannot be made now: another process has the path, or the directory is not there.
    case impossible
  }

  static let moment = Duration.milliseconds(20)
  /// Between two looks while something is wrong, or the system tells of no changes.
  static let short = Duration.milliseconds(500)
  /// Between two looks while all is well.
  static let long = Duration.seconds(10)

  private struct State {
    var isOver = false
    var notice: DirectoryNotice?
    var timer: PollLoop.TimerID?
  }

  private let path: SocketPath
  private let loop: PollLoop
  private let mend: @Sendable () -> Outcome
  private let state = Mutex(State())

  /// - Parameter mend: Looks, and makes it anew where it has gone; on the loop's thread.
  init(_ path: SocketPath, on loop: PollLoop, mend: @escaping @Sendable () -> Outcome) {
    self.path = path
    self.loop = loop
    self.mend = mend
  }

  /// Looks now, and whenever there is reason to.
  func look() {
    if state.withLock({ $0.isOver }) { return }
    // Before the look: a change after it is told of.
    let isTold = watchDirectory()
    let outcome = mend()
    let next: Duration =
      switch outcome {
      case .later: Self.moment
      case .impossible: Self.short
      case .inPlace, .madeAnew: isTold ? Self.long : Self.short
      }
    let timer = loop.schedule(at: .now + next) { [weak self] in self?.look() }
    let old = state.withLock { state in
      defer { state.timer = timer }
      return state.timer
    }
    if let old { loop.cancel(old) }
  }

  /// Ends it: the path is not this process's any more.
  func close() {
    let (notice, timer) = state.withLock { state in
      state.isOver = true
      defer { (state.notice, state.timer) = (nil, nil) }
      return (state.notice, state.timer)
    }
    notice?.close()
    if let timer { loop.cancel(timer) }
  }

  private func watchDirectory() -> Bool {
    if state.withLock({ $0.notice != nil }) { return true }
    let notice = DirectoryNotice(path.name, in: path.directory, on: loop) { [weak self] goesOn in
      if !goesOn { self?.state.withLock { $0.notice = nil } }
      self?.look()
    }
    state.withLock { $0.notice = notice }
    return notice != nil
  }
}
