package import GracefulProcesses
package import NIOCore
internal import Synchronization

/// How clients treat connections.
public enum LoadMode: String, CaseIterable, Hashable, Sendable {
  /// Each client keeps its connection, and makes a new one only when it was closed on it.
  case keepalive
  /// A connection for each request, closed by the client first.
  case new
}

/// What all clients share.
package struct LoadSettings: Sendable {
  package var url: TargetURL
  package var address: SocketAddress
  /// The local addresses that connections go out from, in turn; empty: whatever the system takes.
  package var sources: [SocketAddress] = []
  /// How long answers are to be where they echo no id; `nil` for any length.
  package var expectedLength: Int?
  /// What bodies are to match; `nil` for any.
  package var expectedPattern: String?
  /// A request that is not answered after this has timed out.
  package var limit: TimeAmount = .seconds(5)
  /// The longest wait between two requests; the wait is uniform from none to this.
  package var longestWait: TimeAmount = .milliseconds(20)

  package init(url: TargetURL, address: SocketAddress) {
    self.url = url
    self.address = address
  }
}

/// What clients tell the rest while they run, from every event loop.
package final class LoadObservations: Sendable {
  private let ended = Atomic<Int>(0)
  private let failed = Atomic<Int>(0)
  private let notSentErrno = Atomic<Int32>(0)
  package let windows: RestartWindows
  package let stops = StopWindows()
  /// Processes that the rehearsal itself killed by a fault.
  private let killed = Mutex<[ProcessID: NIODeadline]>([:])
  /// When each server process first answered.
  private let seen = Mutex<[ServerIdentity: NIODeadline]>([:])

  package init(windows: RestartWindows) {
    self.windows = windows
  }

  func count(_ outcome: RequestOutcome) {
    ended.add(1, ordering: .relaxed)
    switch outcome {
    case .answered, .turnedAway: break
    case .failed: failed.add(1, ordering: .relaxed)
    case .notSent(let errno): notSentErrno.store(errno, ordering: .relaxed)
    }
  }

  /// An answer that was counted turned out to have bytes behind it.
  func recant() { failed.add(1, ordering: .relaxed) }

  /// Requests that have ended, and those of them that failed, so far.
  package var counts: (ended: Int, failed: Int) {
    (ended.load(ordering: .relaxed), failed.load(ordering: .relaxed))
  }

  /// Why our own machine refused a request; `nil` when it has not.
  package var ownRefusal: Int32? {
    let errno = notSentErrno.load(ordering: .relaxed)
    return errno == 0 ? nil : errno
  }

  package func sighted(_ identity: ServerIdentity, at now: NIODeadline) {
    seen.withLock { seen in
      if let before = seen[identity], before <= now { return }
      seen[identity] = now
    }
  }

  package func firstAnswer(of identity: ServerIdentity) -> NIODeadline? { seen.withLock { $0[identity] } }

  package func killedByUs(_ pid: ProcessID) { killed.withLock { $0[pid] = .now() } }

  /// - Parameter alive: When it was known to live: what was killed before had its number, and was another one.
  package func wasKilledByUs(_ pid: ProcessID, since alive: NIODeadline) -> Bool {
    killed.withLock { $0[pid].map { $0 >= alive } ?? false }
  }
}
