import Logging
import NIOCore
import Synchronization

/// Performs what the ``ServerDrainStateMachine`` decides.
///
/// Everything that turns accepting on or off is decided on the listener's loop, where also every accept happens. So
/// between a decision and its action nothing is accepted.
final class ServerDrainDriver: Sendable {
  private struct Guarded: Sendable {
    var machine = ServerDrainStateMachine()
    var nextID = 0
    var channels: [ServerDrainStateMachine.ID: any Channel] = [:]
    var ids: [ObjectIdentifier: ServerDrainStateMachine.ID] = [:]
    var outcome: DrainOutcome?
    var listenerIsGone = false
    var listenerMayBeShared = true
    var waitingForListener: [@Sendable () -> Void] = []
    var renewal: ListenerRenewal?
    var listenerIsLost = false
    var waitingForLoss: [@Sendable () -> Void] = []
    var waitingForDrain: [@Sendable (DrainOutcome) -> Void] = []
    var timers: [Scheduled<Void>] = []
  }

  private struct Listener: Sendable {
    var channel: any Channel
    var handler: NIOLoopBound<ListenerHandler>
  }

  /// The loop outlives the listener: decisions are made on it to the end.
  private struct Place: Sendable {
    var loop: any EventLoop
    /// nil once it is closed; it holds its handler, which holds this driver.
    var listener: Listener?
  }

  private let guarded = Mutex(Guarded())
  private let place = Mutex<Place?>(nil)

  /// Called once, on the listener's loop, before anything else.
  func adopt(_ channel: any Channel, _ handler: ListenerHandler) {
    let bound = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    place.withLock {
      $0 = Place(loop: channel.eventLoop, listener: Listener(channel: channel, handler: bound))
    }
  }

  /// How a listener that another process ends is had again.
  func renew(by renewal: ListenerRenewal) { guarded.withLock { $0.renewal = renewal } }

  /// The listener was ended by another process, and cannot listen again.
  func whenListenerIsLost(_ body: @escaping @Sendable () -> Void) {
    let isLost = guarded.withLock { guarded in
      if !guarded.listenerIsLost { guarded.waitingForLoss.append(body) }
      return guarded.listenerIsLost
    }
    if isLost { body() }
  }

  var count: Int { guarded.withLock { $0.machine.count } }

  var accepted: Int { guarded.withLock { $0.nextID } }

  func id(of channel: any Channel) -> ServerDrainStateMachine.ID? {
    guarded.withLock { $0.ids[ObjectIdentifier(channel)] }
  }

  /// From now on as if it was closed.
  func forget(_ id: ServerDrainStateMachine.ID) {
    guarded.withLock { guarded in
      guard let channel = guarded.channels.removeValue(forKey: id) else { return }
      guarded.ids[ObjectIdentifier(channel)] = nil
    }
    receive(.connectionClosed(id))
  }

  func accepted(_ channel: any Channel) {
    let id = guarded.withLock { guarded in
      let id = guarded.nextID
      guarded.nextID += 1
      guarded.channels[id] = channel
      guarded.ids[ObjectIdentifier(channel)] = id
      return id
    }
    receive(.accepted(id))
    channel.closeFuture.whenComplete { _ in
      self.guarded.withLock { guarded in
        guarded.channels[id] = nil
        guarded.ids[ObjectIdentifier(channel)] = nil
      }
      self.receive(.connectionClosed(id))
    }
  }

  /// On the listener's loop, `done` afterwards in the same turn.
  func receiveOnLoop(_ event: ServerDrainStateMachine.Event, done: @escaping @Sendable () -> Void = {}) {
    guard let loop = place.withLock({ $0?.loop }) else { return done() }
    loop.execute {
      self.receive(event)
      done()
    }
  }

  /// No other process has the listener: clients that are kept from it while it is closed need not be let in again.
  func listenerIsUnshared() { guarded.withLock { $0.listenerMayBeShared = false } }

  func whenListenerIsGone(_ done: @escaping @Sendable () -> Void) {
    let isGone = guarded.withLock { guarded in
      if !guarded.listenerIsGone { guarded.waitingForListener.append(done) }
      return guarded.listenerIsGone
    }
    if isGone { done() }
  }

  func whenDrained(_ done: @escaping @Sendable (DrainOutcome) -> Void) {
    let outcome = guarded.withLock { guarded in
      if guarded.outcome == nil { guarded.waitingForDrain.append(done) }
      return guarded.outcome
    }
    if let outcome { done(outcome) }
  }

  func receive(_ event: ServerDrainStateMachine.Event) {
    let actions = guarded.withLock { $0.machine.receive(event, at: .now) }
    for action in actions { perform(action) }
  }

  private func perform(_ action: ServerDrainStateMachine.Action) {
    switch action {
    case .accept(let wanted):
      // Only ever decided on the listener's loop.
      guard let listener = place.withLock({ $0?.listener }), listener.channel.eventLoop.inEventLoop else { return }
      listener.handler.value.accept(wanted, on: listener.channel)
    case .emptyQueue:
      guard let listener = place.withLock({ $0?.listener }), listener.channel.eventLoop.inEventLoop else { return }
      let mayBeShared = guarded.withLock { $0.listenerMayBeShared }
      listener.handler.value.emptyQueue(on: listener.channel, mayBeShared: mayBeShared)
    case .closeListener:
      // NIO takes the descriptor out of the poll set, then calls close(2); never shutdown(2), which would end the
      // listening of every process that shares the socket.
      // What could renew it goes first: a copy would keep the queue open, and what comes then would be lost with it.
      guarded.withLock { $0.renewal = nil }
      place.withLock { $0?.listener }?.channel.close(promise: nil)
    case .listenAgain:
      guard let loop = place.withLock({ $0?.loop }), let renewal = guarded.withLock({ $0.renewal }) else {
        return receive(.cannotListen)
      }
      renewal.begin(on: loop) { [weak self] isListening in
        self?.receive(isListening ? .listensAgain : .cannotListen)
      }
    case .listenerIsLost:
      let waiting = guarded.withLock { guarded in
        guarded.listenerIsLost = true
        defer { guarded.waitingForLoss = [] }
        return guarded.waitingForLoss
      }
      for body in waiting { body() }
    case .listenerIsGone:
      place.withLock { $0?.listener = nil }
      guarded.withLock { $0.renewal = nil }
      let waiting = guarded.withLock { guarded in
        guarded.listenerIsGone = true
        defer { guarded.waitingForListener = [] }
        return guarded.waitingForListener
      }
      for done in waiting { done() }
    case .tell(let ids, let signal):
      let channels = guarded.withLock { guarded in ids.compactMap { guarded.channels[$0] } }
      for channel in channels { channel.pipeline.fireUserInboundEventTriggered(signal) }
    case .arm(let alarms):
      arm(alarms)
    case .drained(let outcome):
      let (waiting, timers) = guarded.withLock { guarded in
        guarded.outcome = outcome
        defer { (guarded.waitingForDrain, guarded.timers) = ([], []) }
        return (guarded.waitingForDrain, guarded.timers)
      }
      for timer in timers { timer.cancel() }
      for done in waiting { done(outcome) }
    }
  }

  private func arm(_ alarms: [ServerDrainStateMachine.Alarm]) {
    guard let loop = place.withLock({ $0?.loop }) else { return }
    let timers = alarms.map { alarm in
      loop.scheduleTask(in: TimeAmount(ContinuousClock.now.duration(to: alarm.at))) {
        switch alarm.kind {
        case .idleLimit: self.receive(.idleLimit)
        case .deadline: self.receive(.deadline)
        case .giveUp: self.receive(.giveUp)
        }
      }
    }
    let old = guarded.withLock { guarded in
      defer { guarded.timers = timers }
      return guarded.timers
    }
    for timer in old { timer.cancel() }
  }
}
