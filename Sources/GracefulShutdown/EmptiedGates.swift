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

  /// Does what may empty gates, and then tells of all of them in one go: while a hundred thousand phases are told to
  /// drain, each piece of news by itself would be as many turns at the driver's lock.
  func gather(_ work: () -> Void, to receive: ([(id: Int, round: Int)]) -> Void) {
    let isMine = begin()
    work()
    if isMine { tellAll(to: receive) }
  }

  func tell(_ id: Int, round: Int, to receive: ([(id: Int, round: Int)]) -> Void) {
    let isMine = begin(with: [(id, round)])
    if isMine { tellAll(to: receive) }
  }

  /// - Returns: Whether it is the caller who tells.
  private func begin(with news: [(id: Int, round: Int)] = []) -> Bool {
    state.withLock { state in
      state.news += news
      defer { state.isTelling = true }
      return !state.isTelling
    }
  }

  private func tellAll(to receive: ([(id: Int, round: Int)]) -> Void) {
    while let news = takeAll() { receive(news) }
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
