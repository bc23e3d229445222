package import NIOCore
internal import Synchronization

/// When restarts were going on, as every client's thread sees it.
///
/// The director writes, clients read. A client that reads between the two stores of one opening takes a request for one
/// of the phase before: it began and ended within the same microsecond, either is true.
package final class RestartWindows: Sendable {
  private let firstAt = Atomic<UInt64>(.max)
  private let openedAt = Atomic<UInt64>(.max)
  private let closedAt = Atomic<UInt64>(.max)
  private let margin: UInt64 = 500_000_000

  package init() {}

  package func open(at now: NIODeadline) {
    _ = firstAt.compareExchange(expected: .max, desired: now.uptimeNanoseconds, ordering: .relaxed)
    closedAt.store(.max, ordering: .relaxed)
    openedAt.store(now.uptimeNanoseconds, ordering: .releasing)
  }

  package func close(at now: NIODeadline) {
    closedAt.store(now.uptimeNanoseconds, ordering: .releasing)
  }

  /// The phase of a request that was on its way between two instants: `restarting` when any of it lay in the window of
  /// the last restart or within 500 ms after it.
  package func phase(from start: NIODeadline, to end: NIODeadline) -> LoadPhase {
    guard end.uptimeNanoseconds >= firstAt.load(ordering: .relaxed) else { return .steady }
    let closed = closedAt.load(ordering: .relaxed)
    let until = closed > .max - margin ? .max : closed + margin
    let touches = end.uptimeNanoseconds >= openedAt.load(ordering: .acquiring) && start.uptimeNanoseconds <= until
    return touches ? .restarting : .between
  }
}
