package import NIOCore
internal import Synchronization

/// From when to when a client can know that no server serves, as every client's thread sees it.
///
/// The director writes, clients ask about connections that were refused. Such a connection is no loss when some of its
/// time lay between the request for the stop and the first answer of the next server.
package final class StopWindows: Sendable {
  /// One stop.
  package struct Window: Hashable, Sendable {
    package var askedAt: NIODeadline
    /// When the next server was seen to answer; `nil` before.
    package var servedAt: NIODeadline?
    package var turnedAway = 0
    package var firstAt: NIODeadline?
  }

  private let windows = Mutex<[Window]>([])

  package init() {}

  package func open(at now: NIODeadline) { windows.withLock { $0.append(Window(askedAt: now)) } }

  package func close(at now: NIODeadline) {
    windows.withLock { windows in
      if !windows.isEmpty { windows[windows.count - 1].servedAt = now }
    }
  }

  /// Decides about a connection that was refused, and counts it where it was turned away.
  package func turnsAway(from start: NIODeadline, to end: NIODeadline) -> Bool {
    windows.withLock { windows in
      guard let last = windows.last, end >= last.askedAt, start <= last.servedAt ?? .distantFuture else {
        return false
      }
      windows[windows.count - 1].turnedAway += 1
      windows[windows.count - 1].firstAt = min(end, last.firstAt ?? .distantFuture)
      return true
    }
  }

  /// Every stop so far, in order.
  package var all: [Window] { windows.withLock { $0 } }
}
