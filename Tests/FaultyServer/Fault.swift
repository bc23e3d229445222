/// What the server does wrong, or at least abruptly, to a request.
///
/// The order decides when the numbers of two faults meet on one request: the first one is done.
enum Fault: String, CaseIterable, Sendable {
  /// Closes the connection without answering a byte (FIN).
  case close
  /// The same with a reset (RST).
  case reset
  /// Announces a body of 100 bytes, sends 50 and closes.
  case cut
  /// Answers late; counted when the time is over, or when the client did not wait for it.
  case delay
  /// Answers 503.
  case badStatus
  /// Answers another client's request: another `X-Request-Id`, and a body of another length.
  case wrongBody
  /// Answers with `Connection: close` and closes. No failure.
  case announceClose
  /// Answers, announces nothing and closes at once. No failure, unless the next request was already on its way.
  case closeIdleAfter

  /// The command-line option that asks for it, every N requests.
  var option: String {
    switch self {
    case .close: "--close-every"
    case .reset: "--reset-every"
    case .cut: "--cut-every"
    case .delay: "--delay-every"
    case .badStatus: "--bad-status-every"
    case .wrongBody: "--wrong-body-every"
    case .announceClose: "--announce-close-every"
    case .closeIdleAfter: "--close-idle-after-every"
    }
  }

  /// Whether the client has a whole and right answer all the same.
  var answers: Bool {
    switch self {
    case .close, .reset, .cut, .delay, .badStatus, .wrongBody: false
    case .announceClose, .closeIdleAfter: true
    }
  }
}
