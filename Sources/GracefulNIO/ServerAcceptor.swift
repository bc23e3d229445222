public import Graceful

extension DrainingServer {
  /// How a handover tells this server to accept, and to stop accepting.
  public var acceptor: Acceptor {
    Acceptor(
      accept: { self.startAccepting {} },
      pause: { done in self.pauseAccepting(whenDone: done) })
  }
}
