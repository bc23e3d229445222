import CGracefulSystem
import GracefulSystem
import GracefulTriggers
import Synchronization

/// The system's file calls, of which one fails: the n-th of those that can, counted from 1.
final class FailingFileCalls: Sendable {
  enum Kind: Hashable, CaseIterable {
    case status, mayChangeEntries, unlink, create, makeFile, write, rename, read, pipe, inotify, watch, poll,
      openProcess,
      startThread
  }

  private let state = Mutex<(count: Int, failed: Kind?)>((0, nil))
  private let number: Int
  private let kinds: Set<Kind>
  private let isFrom: Bool
  private let errno: Int32

  /// - Parameter isFrom: All of them from the n-th on fail.
  init(
    _ number: Int, of kinds: Set<Kind> = Set(Kind.allCases), from isFrom: Bool = false, errno: Int32 = 28
  ) {
    self.number = number
    self.kinds = kinds
    self.isFrom = isFrom
    self.errno = errno
  }

  var failed: Kind? { state.withLock { $0.failed } }

  private func fails(_ kind: Kind) -> Bool {
    guard kinds.contains(kind) else { return false }
    return state.withLock { state in
      state.count += 1
      let fails = isFrom ? state.count >= number : state.count == number
      if fails { state.failed = kind }
      return fails
    }
  }

  var calls: StopFileCalls {
    var calls = StopFileCalls.live
    let live = StopFileCalls.live
    let error = -errno
    calls.status = { self.fails(.status) ? .failed(-error) : live.status($0) }
    calls.mayChangeEntries = { self.fails(.mayChangeEntries) ? error : live.mayChangeEntries($0) }
    calls.unlink = { self.fails(.unlink) ? error : live.unlink($0) }
    calls.create = { self.fails(.create) ? error : live.create($0, $1) }
    calls.makeFile = { self.fails(.makeFile) ? error : live.makeFile($0, $1) }
    calls.write = { self.fails(.write) ? Int(error) : live.write($0, $1) }
    calls.rename = { self.fails(.rename) ? error : live.rename($0, $1) }
    calls.read = { self.fails(.read) ? nil : live.read($0) }
    calls.pipe = { () throws(SystemError) in
      if self.fails(.pipe) { throw SystemError("pipe2", on: "stop files", result: error) }
      return try live.pipe()
    }
    calls.changes.inotify = { self.fails(.inotify) ? error : live.changes.inotify() }
    calls.changes.watch = { self.fails(.watch) ? error : live.changes.watch($0, $1) }
    calls.changes.poll = { self.fails(.poll) ? nil : live.changes.poll($0, $1) }
    calls.openProcess = { self.fails(.openProcess) ? error : live.openProcess($0) }
    calls.startThread = { self.fails(.startThread) ? error : live.startThread($0, $1) }
    return calls
  }
}
