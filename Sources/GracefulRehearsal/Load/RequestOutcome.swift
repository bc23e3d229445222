/// How a request failed.
///
/// A request that failed has exactly one of these.
public enum FailureKind: String, CaseIterable, Hashable, Sendable {
  /// No process listened, or the connection could not be made for another reason that lies with the server.
  case refused
  /// The connection was reset before the first byte of the answer.
  case reset
  /// The connection was closed after the request was written, before the first byte of the answer.
  case closedBeforeByte
  /// The answer began and did not end, whether by a close or by a reset.
  case cutShort
  /// The answer was not complete within the time limit.
  case timedOut
  /// A complete answer whose status is not 2xx, or something that is not HTTP at all.
  case badStatus
  /// A complete answer that is not this request's, or is not as the bodies were expected to be.
  case wrongBody
  /// A complete answer with bytes behind it that belong to no answer, or a whole answer that was not asked for.
  ///
  /// Seen with the answer, or before the next request on its connection: then it is the request before that fails.
  case bytesBehind
  /// The connection had been accepted by a process that the rehearsal itself killed or stopped; it does not decide the
  /// outcome.
  ///
  /// Who accepted a connection is known only from an answer on it: a request on a connection that has had none yet
  /// cannot be attributed, and counts as what it looks like. The faults meet successors before they accept, so that
  /// this is 0 unless a server answers before it says that it is ready.
  case ownerKilled
}

/// How a request ended.
package enum RequestOutcome: Hashable, Sendable {
  /// With a complete 2xx answer that is this request's.
  case answered
  case failed(FailureKind)
  /// Refused while a stop was going on, which the client could know: no loss.
  case turnedAway
  /// The client's own machine would not let it be sent, with the errno: no finding about the server.
  case notSent(errno: Int32)
}
