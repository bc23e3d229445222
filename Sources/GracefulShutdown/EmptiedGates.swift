import Synchronization

/// Tells of gates that have become empty, one after the other, never one inside another.
///
/// The last one out of a phase may end that phase, and with it the next one below, whose gate is empty at once, and so on
/// down the graph. Told where they happen, these would be calls inside each other, and in a chain of ten thousand phases
/// that have all come back early, more than a thread's stack holds. So whoever finds somebody telling leaves its news to
/// that one, who is on its way and waits for nothing.
final class EmptiedGates: Sendable {
  private struct State {
    var news: [(id: Int, round: Int)] = []
    var isTelling = false
  }

  private let state = Mutex(State())

  func tell(_ id: Int, round: Int, to receive: (_ id: Int, _ round: Int) -> Void) {
    let isMine = state.withLock { state in
      state.news.append((id, round))
      defer { state.isTelling = true }
      return !state.isTelling
    }
    guard isMine else { return }
    while let news = takeAll() {
      for (id, round) in news { receive(id, round) }
    }
  }

  /// In the same step as there is no more news, nobody is telling: whoever comes next does.
  private func takeAll() -> [(id: Int, round: Int)]? {
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
