internal import CGracefulSystem
internal import GracefulSystem
internal import Synchronization

/// Asks a program to stop by a file, and waits, blocking its thread and needing no other.
package final class StopFileClient: Sendable {
  package typealias Progress = StopFileClientStateMachine.Progress

  private let files: StopFiles
  private let calls: StopFileCalls
  private let timeout: Duration
  private let pace: StopFileClientStateMachine.Pace
  private let wake: WakePipe
  private let isInterrupted = Mutex(false)

  /// - Parameter timeout: Ten years at most.
  package init(_ files: StopFiles, timeout: Duration, pace: StopFileClientStateMachine.Pace = .init())
    throws(StopFileError)
  {
    try files.checkNames()
    self.files = files
    self.timeout = min(max(timeout, .zero), .seconds(3650 * 86_400))
    self.pace = pace
    calls = files.calls
    do throws(SystemError) { wake = try calls.pipe() } catch { throw StopFileError(error, "stop files") }
  }

  /// Ends the waiting: the request is taken back.
  ///
  /// From any thread, also before it has begun.
  package func interrupt() {
    isInterrupted.withLock { $0 = true }
    wake.wake()
  }

  /// Blocks until the program has stopped.
  package func run(_ tell: (Progress) -> Void = { _ in }) throws(StopFileError) {
    let user = cgs_effective_user()
    var machine = StopFileClientStateMachine(
      rules: StopFileRules(user: user), wallClock: calls.wallClock(), deadline: .now + timeout, pace: pace)
    var watch = DirectoryWatch(
      names: [files.request, files.answer], awaited: files.answer, wake: wake.reader, calls: calls.changes)
    var process = AnsweringProcess(calls: calls)
    var events: [StopFileClientStateMachine.Event] = [.began]
    var ending: StopFileClientStateMachine.Ending?
    while ending == nil {
      // An event that brings nothing about cannot be; were it, the caller would not wait for ever.
      guard let event = events.first else { break }
      events.removeFirst()
      for action in machine.receive(event, at: .now) {
        switch action {
        case .lookAtDirectory: events.append(.directory(calls.status(files.directory + "/.")))
        case .lookAtAnswer: events.append(.answer(calls.status(files.answerPath)))
        case .lookAtRequest: events.append(.request(lookAtRequest()))
        case .clear: events.append(.cleared(max(0, -calls.unlink(files.answerPath))))
        case .clearRequest: events.append(.cleared(max(0, -calls.unlink(files.requestPath))))
        case .arm: events.append(.armed(watch.arm(files.directory)))
        case .create: events.append(.created(create()))
        case .takeBack: events.append(.takenBack(max(0, -calls.unlink(files.requestPath))))
        case .watchProcess: events.append(.process(lives: process.find(calls.read(files.answerPath) ?? [])))
        case .wait(let instant): events.append(wait(&watch, process, until: instant))
        case .tell(let progress): tell(progress)
        case .finish(let how): ending = how
        }
      }
    }
    try conclude(ending, user)
  }

  private func lookAtRequest() -> StopFileLook {
    let look = calls.status(files.requestPath)
    // Gone with the directory: that is no answer.
    if look == .absent, calls.status(files.directory + "/.") == .absent { return .failed(2) }
    return look
  }

  private func create() -> StopFileLook {
    let file = calls.create(files.requestPath, 0o600)
    guard file >= 0 else { return .failed(-file) }
    calls.close(file)
    let look = calls.status(files.requestPath)
    // Whose it is, could not be known later.
    if case .failed = look { _ = calls.unlink(files.requestPath) }
    return look
  }

  private func wait(
    _ watch: inout DirectoryWatch, _ process: borrowing AnsweringProcess, until instant: ContinuousClock.Instant
  ) -> StopFileClientStateMachine.Event {
    while true {
      if isInterrupted.withLock({ $0 }) { return .interrupted }
      if process.isWatched {
        if process.wait(wake: wake.reader, until: instant) { return .exited }
        if .now >= instant { return .due }
        continue
      }
      let change = watch.wait(until: instant)
      // First of all: it does not come twice.
      if change.contains(.arrived) { return .arrived }
      if change.contains(.ended) { return .ended }
      if change.contains(.changed) { return .changed }
      if change.contains(.due) { return .due }
    }
  }

  private func conclude(_ ending: StopFileClientStateMachine.Ending?, _ user: UInt32) throws(StopFileError) {
    switch ending {
    case .stopped: return
    case .notInTime(let heard, let running): throw notInTime(heard, running)
    case .interrupted(let heard):
      throw StopFileError(
        .interrupted, path: files.requestPath,
        heard == false ? "the request has been taken back" : "the request stays: the program has taken it, or may")
    case .noDirectory:
      throw StopFileError(
        .nobodyThere, path: files.directory, "there is no such directory, so nobody looks for requests in it")
    case .directoryRefused(let objection):
      throw StopFileError(.notAllowed, path: files.directory, objection.asSeenByClient)
    case .requestRefused(let objection):
      throw StopFileError(.notAllowed, path: files.requestPath, objection.asSeenByClient)
    case .directoryFailed(let errno): throw StopFileError("lstat", files.directory, result: -errno)
    case .createFailed(let errno): throw StopFileError("open", files.requestPath, result: -errno)
    case nil: throw StopFileError(.system, path: files.requestPath, "nothing is left to wait for")
    }
  }

  private func notInTime(_ heard: Bool?, _ running: Int32?) -> StopFileError {
    let time = "within \(timeout.inWords)"
    if let running {
      return StopFileError(
        .notInTime, path: files.answerPath, "process \(running) has said that it stopped, and has not ended \(time)")
    }
    let reason =
      switch heard {
      case true:
        "the request has been taken, and the program has not stopped \(time); was it started after the request? then it "
          + "has removed that as stale"
      case false:
        "nobody has taken the request \(time), and it has been taken back; does a program run that looks for it there?"
      case nil: "somebody else's request was there already, and nothing has stopped \(time)"
      }
    return StopFileError(.notInTime, path: files.requestPath, reason)
  }
}

/// The process that the answer names.
private struct AnsweringProcess: ~Copyable {
  private let calls: StopFileCalls
  private var content: StopFileContent?
  private var descriptor: Int32 = -1

  init(calls: StopFileCalls) { self.calls = calls }

  deinit { if descriptor >= 0 { calls.close(descriptor) } }

  var isWatched: Bool { content != nil }

  /// - Returns: Its number, if it lives and is another one than this.
  mutating func find(_ bytes: [UInt8]) -> Int32? {
    guard let content = StopFileContent(bytes), content.process != cgs_process_id() else { return nil }
    // First the descriptor, which stays with one process, then the question whether it is the right one.
    descriptor = calls.openProcess(content.process)
    guard ProcessStart(of: content.process, calls: calls) == content.start else { return nil }
    self.content = content
    return content.process
  }

  /// Waits for its end, or a word from another thread; without a pidfd (pidfd_open(2)) it looks now and then.
  ///
  /// - Returns: Whether it has ended.
  borrowing func wait(wake: Int32, until instant: ContinuousClock.Instant) -> Bool {
    guard let content else { return true }
    let left = max(.zero, instant - .now) / .milliseconds(1)
    let most: Double = descriptor >= 0 ? 86_400_000 : 10
    let ready = calls.changes.poll(descriptor >= 0 ? [wake, descriptor] : [wake], Int32(min(left, most).rounded(.up)))
    if descriptor >= 0, let ready { return ready[1] }
    if ready == nil { PollTimeout.pause(.milliseconds(10)) }
    return ProcessStart(of: content.process, calls: calls) != content.start
  }
}

extension Duration {
  /// `30 s`, `0.25 s`.
  fileprivate var inWords: String {
    let milliseconds = Int64(self / .milliseconds(1))
    if milliseconds % 1000 == 0 { return "\(milliseconds / 1000) s" }
    var fraction = String(1000 + milliseconds % 1000).dropFirst()
    while fraction.last == "0" { fraction.removeLast() }
    return "\(milliseconds / 1000).\(fraction) s"
  }
}

extension StopFileObjection {
  /// The other side's words are for the operator of the program.
  fileprivate var asSeenByClient: String {
    switch self {
    case .notAFile(let kind): "it is \(kind.rawValue), not a regular file, and is left as it is; remove it"
    case .foreign(let owner, let user):
      "it belongs to user \(owner), and the program would not take it for a request of user \(user)"
    case .openFile:
      "it can be read and written by others, and the program would not take it for a request; remove it"
    case .hardLink: "it has other names (hard links), and the program would not take it for a request; remove it"
    case .foreignDirectory(let owner, let user):
      "it belongs to user \(owner), who could forge the answer; ask as that user, or as root, not as user \(user)"
    case .openDirectory:
      "it can be written to by others, who could forge the answer; chmod go-w it, or make it sticky (chmod +t)"
    case .stale, .unreadable, .unremovable, .answerStays, .noDirectory, .unwritable, .heldByAnother, .unlockable: words
    }
  }
}
