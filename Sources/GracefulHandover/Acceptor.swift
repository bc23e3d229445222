/// How a handover tells a program's servers to accept, and to stop accepting.
///
/// Both are called on the handover's own thread, one after the other, and must return at once; the work belongs to the
/// servers' threads, in the order in which it was asked for.
public struct Acceptor: Sendable {
  /// Accept: for the first time when this process has become the owner, and again when a handover came to nothing.
  public var accept: @Sendable () -> Void
  /// Accept nothing more, keep the listeners open, and call back when that is so, on any thread.
  ///
  /// It calls back also when the listeners have been closed meanwhile.
  public var pause: @Sendable (_ done: @escaping @Sendable () -> Void) -> Void

  /// Makes an acceptor.
  public init(
    accept: @escaping @Sendable () -> Void,
    pause: @escaping @Sendable (_ done: @escaping @Sendable () -> Void) -> Void
  ) {
    self.accept = accept
    self.pause = pause
  }
}
