import Synchronization

/// Tells of gates that have become empty, one after the other, never one inside another.
///
/// The last one out of a phase may end that phase, and with it the next one below, whose gate is empty at once, and so on
/// down the graph. Told where they happen, these would be calls inside each other, and in a chain of ten thousand phases
/// that have all come back early, more than a thread's stack holds. So whoever finds somebody telling leaves its news to
/// that one, who is on its way and waits for nothing.
final class EmptiedGates: Sendable {
  private struct State {
    var news: [EmptiedGate] = []
    var isTelling = false
  }

  private let state = Mutex(State())

  func tell(_ news: [EmptiedGate], to receive: ([EmptiedGate]) -> Void) {
    if news.isEmpty { return }
    let isMine = state.withLock { state in
      state.news += news
      defer { state.isTelling = true }
      return !state.isTelling
    }
    guard isMine else { return }
    while let news = takeAll() { receive(news) }
  }

  /// In the same step as there is no more news, nobody is telling: whoever comes next does.
  private func takeAll() -> [EmptiedGate]? {
    state.withLock { state in
      guard !state.news.isEmpty else {
        state.isTelling = false
        return nil
      }
      defer { state.news = [] }
      return state.news
    }
  }
}

/// A gate that holds nobody any more, and of which round of its phase it is.
struct EmptiedGate: Sendable {
  let id: Int
  let round: Int
}

/// The gates that one thread finds empty while it does what was decided, to tell of all of them in one go: of a hundred
/// thousand phases that are told to drain, each by itself would be as many turns at the driver's lock.
///
/// Only its own: what another thread finds meanwhile must not wait for it, who may be held up.
final class OwnEmptiedGates: Sendable {
  private let state = Mutex<[EmptiedGate]?>([])

  /// - Returns: Whether they are still collected.
  func add(_ gate: EmptiedGate) -> Bool {
    state.withLock { gates in
      gates?.append(gate)
      return gates != nil
    }
  }

  /// From here on nothing is collected.
  func take() -> [EmptiedGate] {
    state.withLock { gates in
      defer { gates = nil }
      return gates ?? []
    }
  }
}
