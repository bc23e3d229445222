public import Graceful

extension DrainingServer {
  /// How a handover tells this server to stop accepting, and to accept again when nothing came of it.
  public var acceptor: Acceptor {
    Acceptor(
      pause: { done in self.pauseAccepting(whenDone: done) },
      resume: { self.startAccepting {} })
  }
}
