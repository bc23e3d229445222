import CGracefulSystem
import Synchronization
import TestHost

/// Blocks the thread that comes, until it is opened.
final class BlockingGate: Sendable {
  private let open = Atomic(false)
  private let blocked = Atomic(false)

  var isOpen: Bool {
    get { open.load(ordering: .acquiring) }
    set { open.store(newValue, ordering: .releasing) }
  }

  func pass() {
    blocked.store(true, ordering: .releasing)
    while !isOpen { _ = cgs_poll(nil, 0, 1) }
  }

  func waitUntilBlocked() async { await eventually { self.blocked.load(ordering: .acquiring) } }
}
