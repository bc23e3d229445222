/// How a handover tells a program's servers to stop accepting, and to accept again when nothing came of it.
///
/// Both are called on the handover's own thread and must return at once; the work belongs to the servers' threads.
public struct Acceptor: Sendable {
  /// Accept nothing more, keep the listeners open, and call back when that is so, on any thread.
  public var pause: @Sendable (_ done: @escaping @Sendable () -> Void) -> Void
  /// Accept again.
  public var resume: @Sendable () -> Void

  /// Makes an acceptor.
  public init(
    pause: @escaping @Sendable (_ done: @escaping @Sendable () -> Void) -> Void,
    resume: @escaping @Sendable () -> Void
  ) {
    self.pause = pause
    self.resume = resume
  }
}
