/// The arrivals of signals, for programs that want only that and no lifecycle.
///
/// ```swift
/// for await signal in try SignalArrivals(of: .hangup) { reload() }
/// ```
///
/// It listens from its making on, and until it and its iterators are gone. Its consumer runs on Swift's cooperative pool
/// and waits with it when every thread of that is blocked; ``SignalSource`` does not. Of arrivals that were not taken
/// the newest 64 are kept.
public struct SignalArrivals: AsyncSequence, Sendable {
  /// Which signal came.
  public typealias Element = Signal
  /// It does not fail once it has begun.
  public typealias Failure = Never

  private let stream: AsyncStream<Signal>

  /// Starts to listen; when this returns, no arrival is missed.
  /// - Throws: When a signal cannot be caught (SIGKILL, SIGSTOP, a fault of the program), or no descriptor or thread is
  ///   left.
  public init(of signals: Signal...) throws(SignalError) {
    let (stream, arrivals) = AsyncStream.makeStream(of: Signal.self, bufferingPolicy: .bufferingNewest(64))
    let listener = try SignalRegistry.shared.listen(for: Set(signals)) { arrivals.yield($0) }
    arrivals.onTermination = { _ in SignalRegistry.shared.leave(listener) }
    self.stream = stream
  }

  /// Takes the arrivals; two iterators share them.
  public func makeAsyncIterator() -> AsyncStream<Signal>.AsyncIterator { stream.makeAsyncIterator() }
}
