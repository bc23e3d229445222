/// Which connections a server has, what each of them is to be told, and when the listener may be closed.
///
/// A connection is counted when it is accepted, on the listener's loop. It hears a signal only once it is set up, on
/// its own loop; a connection that is set up later hears what has been said by then. So no connection misses the drain.
struct ServerDrainStateMachine: Equatable, Sendable {
  typealias Instant = ContinuousClock.Instant
  typealias ID = Int

  /// What happened.
  enum Event: Equatable, Sendable {
    case startAccepting
    case pauseAccepting
    case closeListener
    /// The clients that waited in the listener's queue have been accepted, and no new one is let in.
    case queueIsEmpty
    case listenerClosed
    /// What was lost listens again, on a channel of its own.
    case listensAgain
    /// What was lost is lost for good.
    case cannotListen
    case accepted(ID)
    /// Registered with its own loop; its handlers are there.
    case isSetUp(ID)
    case noted(ID, ConnectionEnding)
    case connectionClosed(ID)
    case drain(until: Instant)
    case idleLimit
    case deadline
    /// Connections did not close although they were cut: their loop is blocked.
    case giveUp
  }

  /// What is to be done.
  enum Action: Equatable, Sendable {
    case accept(Bool)
    /// Let no new client in, and accept the ones that are there.
    case emptyQueue
    case closeListener
    /// The listener was ended by another process that has it: have it listen again.
    case listenAgain
    /// It was ended, and cannot listen again: nothing is served any more.
    case listenerIsLost
    /// What waits for the listener's end may go on.
    case listenerIsGone
    case tell([ID], DrainSignal)
    /// In the place of what was armed before.
    case arm([Alarm])
    case drained(DrainOutcome)
  }

  /// An event that comes by itself.
  struct Alarm: Equatable, Sendable {
    enum Kind: Equatable, Sendable { case idleLimit, deadline, giveUp }
    var kind: Kind
    var at: Instant
  }

  private enum Listener: Equatable, Sendable {
    case open
    /// Ended by another process; on its way to listen again.
    case lost
    /// Accepts the clients that came before: closing would reset their connections.
    case emptying
    /// Waits for connections that are accepted and not set up: NIO closes them when their listener is gone.
    case waiting
    case closing
    case closed
  }

  private enum Stage: Equatable, Sendable {
    case serving
    case draining
    case closingIdle
    case cutting
    case drained(DrainOutcome)

    /// The last thing that was said to all.
    var signal: DrainSignal? {
      switch self {
      case .serving: nil
      case .draining: .drain
      case .closingIdle: .closeIdle
      case .cutting, .drained: .cut
      }
    }
  }

  private struct Connection: Equatable, Sendable {
    var isSetUp = false
    var ending: ConnectionEnding?
  }

  /// The longest time before the deadline at which idle connections are closed.
  static let longestReserve = Duration.milliseconds(250)
  /// How long cut connections may take to disappear.
  static let patience = Duration.milliseconds(500)

  private var listener = Listener.open
  /// Whether this process accepts: in a handover, while it does not, the queue is another's.
  private var isAccepting = false
  private var stage = Stage.serving
  private var deadline: Instant?
  private var outcome = DrainOutcome()
  private var connections: [ID: Connection] = [:]
  /// How many of them are not set up yet.
  private var arriving = 0

  init() {}

  /// How many connections there are, those included that are not set up yet.
  var count: Int { connections.count }

  mutating func receive(_ event: Event, at now: Instant) -> [Action] {
    switch event {
    case .startAccepting:
      guard listener == .open || listener == .lost, stage == .serving else { return [] }
      isAccepting = true
      return listener == .open ? [.accept(true)] : []
    case .pauseAccepting:
      isAccepting = false
      // A handover that was going on when the stop came: the queue is the successor's.
      return listener == .open ? [.accept(false)] : queueIsDone()
    case .closeListener:
      return closeListener()
    case .queueIsEmpty:
      return queueIsDone()
    case .listenerClosed where listener == .open:
      // Nothing here has closed it: shutdown(2) in a process that was offered it, for example.
      listener = .lost
      return [.listenAgain]
    case .listenerClosed:
      listener = .closed
      return [.listenerIsGone] + drainedIfEmpty()
    case .listensAgain:
      // Meanwhile nothing is to be accepted any more: the new channel goes as the one before did.
      guard listener == .lost else { return [.closeListener] }
      listener = .open
      return isAccepting ? [.accept(true)] : []
    case .cannotListen:
      guard listener == .lost else { return [] }
      listener = .closed
      return [.listenerIsLost, .listenerIsGone] + drainedIfEmpty()
    case .accepted(let id):
      guard connections[id] == nil else { return [] }
      connections[id] = Connection()
      arriving += 1
      return []
    case .isSetUp(let id):
      guard connections[id]?.isSetUp == false else { return [] }
      connections[id]?.isSetUp = true
      if arriving > 0 { arriving -= 1 }
      return tell([id]) + closeListenerIfReady()
    case .noted(let id, let ending):
      if connections[id]?.ending == nil { connections[id]?.ending = ending }
      return []
    case .connectionClosed(let id):
      guard let connection = connections.removeValue(forKey: id) else { return [] }
      if !connection.isSetUp, arriving > 0 { arriving -= 1 }
      if stage != .serving { outcome.count(connection.ending ?? .finished) }
      return closeListenerIfReady() + drainedIfEmpty()
    case .drain(let until):
      return drain(until: until, at: now)
    case .idleLimit:
      guard stage == .draining else { return [] }
      stage = .closingIdle
      return tellAll()
    case .deadline:
      guard stage == .draining || stage == .closingIdle else { return [] }
      stage = .cutting
      // Counted from here and not from the deadline: when this loop is late, so may be those that are to hear of it.
      return queueIsDone() + tellAll() + [.arm([Alarm(kind: .giveUp, at: now + Self.patience)])]
    case .giveUp:
      guard stage == .cutting else { return [] }
      for connection in connections.values { outcome.count(connection.ending ?? .cut) }
      // What is not set up by now does not keep the listener open.
      arriving = 0
      return closeListenerIfReady() + drained()
    }
  }
}

extension ServerDrainStateMachine {
  private mutating func drain(until: Instant, at now: Instant) -> [Action] {
    switch stage {
    case .drained(let outcome):
      return [.drained(outcome)]
    case .cutting:
      return []
    case .serving:
      stage = .draining
      return closeListener() + tellAll() + arm(until, at: now) + drainedIfEmpty()
    case .draining, .closingIdle:
      // A second caller joins; the nearer deadline holds.
      guard let deadline, until < deadline else { return [] }
      return arm(until, at: now)
    }
  }

  private mutating func arm(_ until: Instant, at now: Instant) -> [Action] {
    deadline = until
    let reserve = max(.zero, min(Self.longestReserve, now.duration(to: until) / 4))
    return [.arm([Alarm(kind: .idleLimit, at: until - reserve), Alarm(kind: .deadline, at: until)])]
  }

  private mutating func closeListener() -> [Action] {
    switch listener {
    case .open where isAccepting:
      listener = .emptying
      return [.emptyQueue]
    case .open:
      listener = .waiting
      return [.accept(false)] + closeListenerIfReady()
    case .lost:
      listener = .closed
      return [.listenerIsGone]
    case .emptying, .waiting, .closing:
      return []
    case .closed:
      return [.listenerIsGone]
    }
  }

  private mutating func queueIsDone() -> [Action] {
    guard listener == .emptying else { return [] }
    listener = .waiting
    return [.accept(false)] + closeListenerIfReady()
  }

  private mutating func closeListenerIfReady() -> [Action] {
    guard listener == .waiting, arriving == 0 else { return [] }
    listener = .closing
    return [.closeListener]
  }

  private func tell(_ ids: [ID]) -> [Action] {
    guard let signal = stage.signal, !ids.isEmpty else { return [] }
    return [.tell(ids, signal)]
  }

  private func tellAll() -> [Action] {
    tell(connections.filter(\.value.isSetUp).keys.sorted())
  }

  private mutating func drainedIfEmpty() -> [Action] {
    guard connections.isEmpty, listener == .closed else { return [] }
    switch stage {
    case .serving, .drained: return []
    case .draining, .closingIdle, .cutting: return drained()
    }
  }

  private mutating func drained() -> [Action] {
    stage = .drained(outcome)
    return [.drained(outcome)]
  }
}
