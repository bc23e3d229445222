internal import Synchronization

/// Messages from any thread that are handled one at a time, in the order in which they came.
///
/// It has no thread of its own. The caller whose post finds it idle drains it, at once or wherever it chooses; until it is
/// empty again, every other post only adds. A handler may post, too: that message is
/// handled after the ones before it, and never inside of its own handler.
package final class Mailbox<Message: Sendable>: Sendable {
  /// What became of a message, and what the caller owes.
  package enum Posted: Sendable {
    /// It will be handled; the mailbox is being drained already.
    case queued
    /// It will be handled when the caller calls ``Mailbox/drain(_:)``, which it must.
    case isFirst
    /// It is dropped: too many wait.
    case refused
  }

  private struct State {
    var waiting: [Message] = []
    /// From the first message on, until none is left.
    var isBusy = false
  }

  private let state = Mutex(State())

  package init() {}

  /// Whether every message has been handled.
  package var isIdle: Bool { state.withLock { !$0.isBusy } }

  /// Adds a message.
  /// - Parameter limit: With so many waiting the message is refused; without one it never is.
  package func post(_ message: Message, limit: Int = .max) -> Posted {
    state.withLock { state in
      guard state.waiting.count < limit else { return .refused }
      state.waiting.append(message)
      defer { state.isBusy = true }
      return state.isBusy ? .queued : .isFirst
    }
  }

  /// Adds a message, and handles it and all that come meanwhile, unless another thread is at it.
  package func post(_ message: Message, handledBy handle: (Message) -> Void) {
    if post(message) == .isFirst { drain(handle) }
  }

  /// Handles what waits until nothing is left.
  ///
  /// Only for the caller whose post was ``Posted/isFirst``.
  package func drain(_ handle: (Message) -> Void) {
    while let messages = takeAll() {
      for message in messages { handle(message) }
    }
  }

  /// Leaves what waits to the caller of the next post, which is ``Posted/isFirst`` again.
  ///
  /// Only for the caller whose post was ``Posted/isFirst``, and that has not drained.
  package func postpone() { state.withLock { $0.isBusy = false } }

  /// In the same step as nothing is left, it is idle: the next post is a first one again.
  private func takeAll() -> [Message]? {
    state.withLock { state in
      state.isBusy = !state.waiting.isEmpty
      guard state.isBusy else { return nil }
      defer { state.waiting = [] }
      return state.waiting
    }
  }
}
