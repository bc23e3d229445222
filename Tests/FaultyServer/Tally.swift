import Synchronization

/// Counts what was done, exactly and over all connections.
///
/// One lock and not an atomic for each number: every reading of it then adds up, also in the middle of the load.
/// `received = answered + inFlight + clientLeft + the faults that do not answer`.
final class Tally: Sendable {
  struct Counts: Equatable, Sendable {
    /// Connections accepted.
    var connections = 0
    /// Requests whose last byte was read, in time to be answered.
    var received = 0
    /// Right and whole answers that the kernel has taken, with or without a close behind them.
    var answered = 0
    /// Faults really done.
    var faults: [Fault: Int] = [:]
    /// Received, and nothing has become of it yet.
    var inFlight = 0
    /// The client was gone before its answer, or its fault, could be given to it.
    var clientLeft = 0
    /// Requests that came after the server had closed its side: what the client had sent before it could know.
    var tooLate = 0
    /// Other methods, bodies, heads without an end: answered 400 and closed.
    var notUnderstood = 0
  }

  /// What has become of a request.
  enum Outcome: Sendable {
    case answered
    case faulted(Fault)
    case clientLeft
  }

  private let every: [(fault: Fault, number: Int)]
  private let counts = Mutex(Counts())

  init(every: [Fault: Int]) {
    self.every = Fault.allCases.compactMap { fault in every[fault].map { (fault, $0) } }
  }

  /// Counts a request and says what is to be done to it.
  ///
  /// Counting and deciding are one step, so that no two
  /// connections are both the Nth.
  func receive() -> Fault? {
    counts.withLock { counts in
      counts.received += 1
      counts.inFlight += 1
      return every.first { counts.received % $0.number == 0 }?.fault
    }
  }

  func end(_ outcome: Outcome) {
    counts.withLock { counts in
      counts.inFlight -= 1
      switch outcome {
      case .answered: counts.answered += 1
      case .clientLeft: counts.clientLeft += 1
      case .faulted(let fault):
        counts.faults[fault, default: 0] += 1
        if fault.answers { counts.answered += 1 }
      }
    }
  }

  func accepted() { counts.withLock { $0.connections += 1 } }
  func cameTooLate() { counts.withLock { $0.tooLate += 1 } }
  func didNotUnderstand() { counts.withLock { $0.notUnderstood += 1 } }

  var now: Counts { counts.withLock { $0 } }
}

extension Tally.Counts {
  /// One object, every key always there.
  var json: String {
    let faults = Fault.allCases.map { "\"\($0.rawValue)\":\(self.faults[$0] ?? 0)" }.joined(separator: ",")
    return """
      {"connections":\(connections),"received":\(received),"answered":\(answered),"faults":{\(faults)},\
      "inFlight":\(inFlight),"clientLeft":\(clientLeft),"tooLate":\(tooLate),"notUnderstood":\(notUnderstood)}

      """
  }
}
