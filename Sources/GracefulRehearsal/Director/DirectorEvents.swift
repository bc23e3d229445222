internal import GracefulDescriptors

/// Why a rehearsal ended before its end.
package struct NotDone: Error, Hashable, Sendable {
  package var reason: String
  /// Whether it is no finding about the server, so that not even a loss is one: our machine refused, or the user
  /// interrupted it.
  package var isVoid: Bool

  package init(_ reason: String, isVoid: Bool = false) {
    self.reason = reason
    self.isVoid = isVoid
  }

  static let interrupted = NotDone("it was interrupted.", isVoid: true)
}

/// The events of a rehearsal in the order in which they came, with alarms among them.
///
/// One task reads it; cancelling that task ends every wait at once.
struct DirectorEvents {
  private var iterator: AsyncStream<DirectorEvent>.Iterator
  private let continuation: AsyncStream<DirectorEvent>.Continuation
  private let loop: PollLoop
  private var alarms = 0

  init(
    _ stream: AsyncStream<DirectorEvent>, _ continuation: AsyncStream<DirectorEvent>.Continuation, on loop: PollLoop
  ) {
    iterator = stream.makeAsyncIterator()
    self.continuation = continuation
    self.loop = loop
  }

  /// The next event, or `nil` when the instant has come before.
  mutating func next(until deadline: ContinuousClock.Instant) async throws(NotDone) -> DirectorEvent? {
    alarms += 1
    let mine = alarms
    let timer = loop.schedule(at: deadline) { [continuation] in continuation.yield(.alarm(mine)) }
    defer { loop.cancel(timer) }
    while let event = await iterator.next(isolation: #isolation) {
      // An alarm of an earlier wait was already on its way when that wait ended.
      guard case .alarm(let number) = event else { return event }
      if number == mine { return nil }
    }
    throw NotDone.interrupted
  }
}
