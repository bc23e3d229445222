/// Decides what the service manager is told, and when.
struct NotifyStateMachine: Equatable, Sendable {
  typealias Instant = ContinuousClock.Instant

  enum Event: Equatable, Sendable {
    /// The run begins, with these phases.
    case begin([String])
    /// A phase is ready, or is not waited for any more.
    case ready(String)
    /// Something is to be seen that was not before.
    case changed
    /// A stop was asked for; by a successor that has taken over, with its number.
    case stop(by: String, successor: Int32?)
    /// What a look showed: a line, and how much of the grace is left.
    case looked(String, left: Duration?)
    case wake
    /// This process took over from another one of the same unit, which is the main process until it ends.
    case inherited
    case predecessorEnded(own: Int32)
    case finished(exitCode: Int32)
  }

  enum Action: Equatable, Sendable {
    /// One message: lines of `NAME=value`.
    case send([String])
    /// Look at where everything is, and say.
    case look
    case wake(at: Instant)
  }

  enum State: Equatable, Sendable {
    case idle
    case starting(missing: Set<String>)
    case running
    /// The service manager knows that it stops.
    case stopping
    /// Another process took over: the service goes on.
    case handedOver
    case finished
  }

  /// Not more often than that a line of status is said.
  static let statusInterval = Duration.seconds(1)
  /// How often a promise is renewed to go on stopping, and how long each holds: a program that is stuck so that not even this is
  /// said any more, is killed then.
  static let extensionInterval = Duration.seconds(5)
  static let extensionTime = Duration.seconds(10)

  private(set) var state = State.idle
  /// What it says would be refused, or believed of the wrong process.
  private var isMute = false
  private var successor: Int32?
  private var lastStatus = ""
  private var statusAt: Instant?
  private var extendedAt: Instant?
  private var isLookPending = false
  private var armed: Instant?
  private var actions: [Action] = []

  mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch (state, event) {
    case (.idle, .begin(let phases)):
      state = .starting(missing: Set(phases))
      // A start that is shorter than that is not worth a line; and a successor knows by then that it is one.
      statusAt = now
      if phases.isEmpty { becomeReady(at: now) } else { look(at: now) }
    case (.starting(var missing), .ready(let phase)):
      missing.remove(phase)
      state = .starting(missing: missing)
      if missing.isEmpty { becomeReady(at: now) } else { look(at: now) }
    case (.running, .ready), (.stopping, .ready), (.handedOver, .ready): look(at: now)

    case (.starting, .stop(let who, let successor)), (.running, .stop(let who, let successor)),
      (.handedOver, .stop(let who, let successor)):
      stop(by: who, successor, at: now)
    case (.stopping, .stop(_, let successor)): self.successor = successor ?? self.successor

    case (.starting, .changed), (.running, .changed), (.stopping, .changed), (.handedOver, .changed): look(at: now)
    case (.starting, .wake), (.running, .wake), (.stopping, .wake), (.handedOver, .wake):
      armed = nil
      look(at: now)
    case (.starting, .looked(let line, _)), (.running, .looked(let line, _)): say(line, [], at: now)
    case (.stopping, .looked(let line, let left)): say(line, extensionLines(left, at: now), at: now)
    case (.handedOver, .looked(let line, _)): say(line, [], at: now)

    case (.idle, .inherited), (.starting, .inherited), (.running, .inherited), (.stopping, .inherited),
      (.handedOver, .inherited):
      isMute = true
    case (_, .predecessorEnded(let own)) where isMute: speak(as: own, at: now)
    case (_, .predecessorEnded): break

    case (.idle, .finished), (.starting, .finished), (.running, .finished), (.stopping, .finished),
      (.handedOver, .finished):
      finish(event, at: now)
    // Nothing has begun, or there is nothing more to say.
    case (.idle, .ready), (.idle, .changed), (.idle, .stop), (.idle, .looked), (.idle, .wake): break
    case (.starting, .begin), (.running, .begin), (.stopping, .begin), (.handedOver, .begin), (.finished, .begin): break
    case (.finished, .ready), (.finished, .changed), (.finished, .stop), (.finished, .looked), (.finished, .wake),
      (.finished, .inherited), (.finished, .finished):
      break
    }
    defer { actions = [] }
    return actions
  }

  private mutating func send(_ lines: [String]) { if !isMute { actions.append(.send(lines)) } }

  private mutating func becomeReady(at now: Instant) {
    state = .running
    lastStatus = "running"
    statusAt = now
    send(["READY=1", "STATUS=running"])
  }

  private mutating func stop(by who: String, _ successor: Int32?, at now: Instant) {
    self.successor = successor ?? self.successor
    if successor != nil {
      // STOPPING=1 would be the end of the service, and of the successor with it.
      state = .handedOver
    } else {
      state = .stopping
      lastStatus = "stopping, asked by \(who)"
      statusAt = now
      send(["STOPPING=1", "STATUS=\(lastStatus)"])
    }
    look(at: now, atOnce: successor == nil)
  }

  private mutating func look(at now: Instant, atOnce: Bool = false) {
    if atOnce || (statusAt.map { now - $0 >= Self.statusInterval } ?? true) {
      if !isLookPending { actions.append(.look) }
      isLookPending = true
    } else if let statusAt {
      arm(statusAt + Self.statusInterval)
    }
  }

  private mutating func arm(_ instant: Instant) {
    guard armed.map({ instant < $0 }) ?? true else { return }
    armed = instant
    actions.append(.wake(at: instant))
  }

  /// A promise for a while, and only within the grace.
  private mutating func extensionLines(_ left: Duration?, at now: Instant) -> [String] {
    guard let left, left > .zero, extendedAt.map({ now - $0 >= Self.extensionInterval }) ?? true else { return [] }
    extendedAt = now
    // The last one reaches a little beyond the end: by then this process has exited.
    let promise = min(left + .seconds(1), Self.extensionTime)
    return ["EXTEND_TIMEOUT_USEC=\(Int64(promise / .microseconds(1)))"]
  }

  private mutating func say(_ line: String, _ further: [String], at now: Instant) {
    isLookPending = false
    var lines = further
    if line != lastStatus, statusAt.map({ now - $0 >= Self.statusInterval }) ?? true {
      lastStatus = line
      statusAt = now
      lines.append("STATUS=\(line)")
    }
    if !lines.isEmpty { send(lines) }
    // The end of a session is no event.
    if state == .stopping || state == .handedOver { arm(now + Self.statusInterval) }
  }

  /// It is the main process now: what it kept to itself, it says.
  private mutating func speak(as own: Int32, at now: Instant) {
    isMute = false
    var lines = ["MAINPID=\(own)"]
    switch state {
    case .running, .handedOver: lines += ["READY=1", "STATUS=\(lastStatus)"]
    case .stopping: lines += ["STOPPING=1", "STATUS=\(lastStatus)"]
    case .idle, .starting: break
    case .finished: return
    }
    send(lines)
    if state != .idle { look(at: now) }
  }

  private mutating func finish(_ event: Event, at now: Instant) {
    state = .finished
    guard case .finished(let code) = event else { return }
    if let successor {
      // The last word: from here on the service manager waits for that one, and not for this one's end.
      send(["MAINPID=\(successor)", "STATUS=handed over to process \(successor)"])
    } else {
      send(["STATUS=stopped, exit \(code)"])
    }
  }
}
