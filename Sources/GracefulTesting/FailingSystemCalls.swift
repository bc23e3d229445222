package import GracefulDescriptors
internal import Synchronization
package import SystemPackage

/// The system's socket calls, of which one fails: the n-th, or the n-th of a kind.
///
/// ```swift
/// let failing = FailingSystemCalls(call: 3, of: .accept, with: .tooManyOpenFiles)
/// var configuration = Handover.Configuration(socket: path)
/// configuration.calls = failing.calls
/// ```
/// Calls are counted from 1, over all threads, in the order in which they are made. The failing call is not made at
/// all. To walk a whole dialogue, let n grow until ``hasFailed`` stays false: then it has fewer calls than that.
///
/// What closes a descriptor is not among them: close(2) cannot fail in a way that matters here.
package final class FailingSystemCalls: Sendable {
  /// The kinds of calls, by the names that they have in `SocketCalls`.
  package enum Kind: String, CaseIterable, Sendable {
    case send, receive, accept, connect, bind, listen, unixSocket, peer, peerProcess, signalProcess, status
    case descriptorStatus, unlink, makeDirectory, openPrivate, openPath, tryLock, listenTCP, kind, keepNonblocking
  }

  private struct State {
    var counts: [Kind: Int] = [:]
    var total = 0
    var failed: Kind?
  }

  private let number: Int
  private let kind: Kind?
  private let errno: Errno
  private let state = Mutex(State())

  /// - Parameters:
  ///   - call: which call fails, from 1 on; 0 lets all of them pass, and only counts.
  ///   - kind: count the calls of this kind only. All kinds by default.
  ///   - errno: what the failing call says.
  package init(call: Int, of kind: Kind? = nil, with errno: Errno) {
    number = call
    self.kind = kind
    self.errno = errno
  }

  /// Whether the call that is to fail has been made.
  package var hasFailed: Bool { state.withLock { $0.failed != nil } }

  /// What kind of call it was that failed.
  package var failed: Kind? { state.withLock { $0.failed } }

  /// How many calls of a kind were made; of all kinds, where none is named.
  package func count(_ kind: Kind? = nil) -> Int {
    state.withLock { state in kind.map { state.counts[$0, default: 0] } ?? state.total }
  }

  /// Notes a call.
  ///
  /// - Returns: whether it fails.
  private func fails(_ kind: Kind) -> Bool {
    state.withLock { state in
      state.counts[kind, default: 0] += 1
      state.total += 1
      guard self.kind == nil || self.kind == kind else { return false }
      let fails = number == (self.kind == nil ? state.total : state.counts[kind])
      if fails { state.failed = kind }
      return fails
    }
  }

  /// The calls, to be given to what is tested.
  package var calls: SocketCalls { wrapping(.live) }

  /// The same over calls that a test has changed already.
  package func wrapping(_ real: SocketCalls) -> SocketCalls {
    let code = -errno.rawValue
    let failure = { @Sendable (operation: String, subject: String) in
      SystemError(operation, on: subject, result: code)
    }
    var calls = real
    calls.send = { self.fails(.send) ? Int(code) : real.send($0, $1, $2) }
    calls.receive = { self.fails(.receive) ? SocketCalls.Received(result: Int(code)) : real.receive($0, $1) }
    calls.receiveBytes = {
      self.fails(.receive) ? SocketCalls.Received(result: Int(code)) : real.receiveBytes($0, $1)
    }
    calls.kind = {
      self.fails(.kind) ? .failure(failure("getsockopt(SO_TYPE)", "descriptor \($0)")) : real.kind($0)
    }
    calls.keepNonblocking = { self.fails(.keepNonblocking) ? code : real.keepNonblocking($0) }
    calls.openPath = { self.fails(.openPath) ? code : real.openPath($0) }
    calls.accept = { self.fails(.accept) ? code : real.accept($0) }
    calls.connect = { self.fails(.connect) ? code : real.connect($0, $1) }
    calls.bind = { self.fails(.bind) ? code : real.bind($0, $1) }
    calls.listen = { self.fails(.listen) ? code : real.listen($0, $1) }
    calls.unixSocket = { self.fails(.unixSocket) ? code : real.unixSocket() }
    calls.peer = {
      self.fails(.peer) ? .failure(failure("getsockopt(SO_PEERCRED)", "descriptor \($0)")) : real.peer($0)
    }
    calls.peerProcess = { self.fails(.peerProcess) ? code : real.peerProcess($0) }
    calls.signalProcess = { self.fails(.signalProcess) ? code : real.signalProcess($0, $1) }
    calls.status = { self.fails(.status) ? .failure(failure("lstat", $0)) : real.status($0) }
    calls.descriptorStatus = {
      self.fails(.descriptorStatus) ? .failure(failure("fstat", "descriptor \($0)")) : real.descriptorStatus($0)
    }
    calls.unlink = { self.fails(.unlink) ? code : real.unlink($0) }
    calls.makeDirectory = { self.fails(.makeDirectory) ? code : real.makeDirectory($0) }
    calls.openPrivate = { self.fails(.openPrivate) ? code : real.openPrivate($0) }
    calls.tryLock = { self.fails(.tryLock) ? code : real.tryLock($0) }
    calls.listenTCP = { self.fails(.listenTCP) ? code : real.listenTCP($0, $1) }
    return calls
  }
}
