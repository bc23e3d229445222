internal import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// The way in: claim the socket, or speak with the process that holds it until all that it offers is here.
final class HandoverJoin: Sendable {
  struct Joined: Sendable {
    enum Role: Sendable {
      case first
      case successor(SuccessorDriver, process: Int32, generation: UInt32)
    }
    var role: Role
    var listener: SharedDescriptor
    var bound: BoundPath
    var inherited: [NamedDescriptor] = []
  }

  /// What the dialogue tells after the offer has come.
  enum Later: Sendable {
    case own(SuccessorStateMachine.Proof)
    case failed(SuccessorStateMachine.Failure)
    case notice(SuccessorStateMachine.Notice)
  }

  private typealias Answer = Result<Joined, SuccessorStateMachine.Failure>

  private struct State {
    var waiting: CheckedContinuation<Answer, Never>?
    /// Held here until its offer is taken, or it has failed.
    var dialogue: SuccessorDriver?
    var isCancelled = false
    /// By which its predecessor has started this process, if it has.
    var given: SharedDescriptor?
    var later: [Later] = []
    var listener: (@Sendable (Later) -> Void)?
  }

  private let claim: SocketClaim
  private let configuration: Handover.Configuration
  private let loop: PollLoop
  private let state = Mutex(State())

  init(claim: SocketClaim, configuration: Handover.Configuration, loop: PollLoop) {
    self.claim = claim
    self.configuration = configuration
    self.loop = loop
  }

  func run() async throws(HandoverError) -> Joined {
    let deadline = ContinuousClock.now + configuration.limits.offer
    var told: String?
    let given = GivenSocket.take(for: claim.path, calls: configuration.calls)
    state.withLock { $0.given = given }
    while true {
      if Task.isCancelled { throw HandoverError(Self.cancelled, socket: claim.path.path) }
      let reason: String
      switch try attempt() {
      case .bound(let listener, let bound): return Joined(role: .first, listener: listener, bound: bound)
      case .later(let why): reason = why
      case .connected(let socket):
        switch await ask(socket) {
        case .success(let joined): return joined
        case .failure(let failure):
          guard let why = failure.mayPass else { throw HandoverError(failure, socket: claim.path.path) }
          reason = why
        }
      }
      guard ContinuousClock.now < deadline else {
        let limit = configuration.limits.offer
        throw HandoverError(
          .timedOut, socket: claim.path.path,
          reason: "the handover socket \(claim.path) could not be had within \(limit): \(reason)")
      }
      if told != reason { configuration.onEvent(.waiting(reason: reason)) }
      told = reason
      await pause()
    }
  }

  /// Where this process was started by its predecessor, that is found by the descriptor that it has given.
  private func attempt() throws(HandoverError) -> SocketClaim.Outcome {
    guard let descriptor = state.withLock({ $0.given }) else { return try claim.attempt() }
    let socket = try claim.newSocket()
    let connected = configuration.calls.connect(socket.number, GivenSocket.path(of: descriptor))
    if connected >= 0 { return .connected(socket) }
    let errno = Errno(rawValue: -connected)
    if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable {
      return .later(reason: "too many ask at \(claim.path) at once")
    }
    // Nothing listens there any more, or there is no /proc.
    state.withLock { $0.given = nil }
    return try claim.attempt()
  }

  /// What comes later goes to `listener`, on the loop's thread; what came already, too.
  func attach(_ listener: @escaping @Sendable (Later) -> Void) {
    loop.execute { [self] in
      let early = state.withLock { state in
        state.listener = listener
        defer { state.later = [] }
        return state.later
      }
      for event in early { listener(event) }
    }
  }

  private func ask(_ socket: SharedDescriptor) async -> Answer {
    let peer: Peer
    switch configuration.calls.peer(socket.number) {
    case .success(let found): peer = found
    case .failure(let error): return .failure(.foreign("its credentials are not known: \(error)"))
    }
    guard peer.user == ThisProcess.user || peer.user == 0 else {
      return .failure(.foreign("it runs as user \(peer.user), and this process as user \(ThisProcess.user)"))
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        loop.execute { [self] in
          // Cancelled before there was a dialogue to withdraw from.
          if state.withLock({ $0.isCancelled }) { return continuation.resume(returning: .failure(Self.cancelled)) }
          state.withLock { $0.waiting = continuation }
          start(socket, peer: peer)
        }
      }
    } onCancel: {
      loop.execute { [self] in
        state.withLock { $0.isCancelled = true }
        state.withLock { $0.dialogue }?.receive(.withdrawn(Self.stopped))
      }
    }
  }

  private static let stopped = "it was asked to stop"
  private static let cancelled = SuccessorStateMachine.Failure.withdrawn(stopped)

  private func start(_ socket: SharedDescriptor, peer: Peer) {
    let dialogue = SuccessorDriver(
      loop: loop, limits: configuration.limits,
      outcome: SuccessorDriver.Outcome(
        deliver: { [self] process, generation, inherited in
          if let dialogue = takeDialogue() { delivered(dialogue, process, generation, inherited) }
        },
        own: { [self] in report(.own($0)) },
        fail: { [self] failure in
          _ = takeDialogue()
          guard let waiting = takeWaiting() else { return report(.failed(failure)) }
          waiting.resume(returning: .failure(failure))
        },
        notify: { [self] in report(.notice($0)) },
        ignored: { [configuration] in configuration.onEvent(.ignored($0)) }
      ))
    state.withLock { $0.dialogue = dialogue }
    dialogue.start(socket, peer: peer, program: configuration.program, loop: loop, calls: configuration.calls)
  }

  private func delivered(
    _ dialogue: SuccessorDriver, _ process: Int32, _ generation: UInt32, _ all: [NamedDescriptor]
  ) {
    guard let waiting = takeWaiting() else { return }
    let own = all.first { $0.label.name == Handover.socketName }
    guard let own, let bound = BoundPath(own.label.metadata) else {
      dialogue.close()
      return waiting.resume(returning: .failure(.foreign("its offer has no handover socket in it")))
    }
    let calls = configuration.calls
    let listening = SocketKind(.unix, isStream: true, isListening: true)
    guard case .success(listening) = calls.kind(own.descriptor.number) else {
      dialogue.close()
      return waiting.resume(
        returning: .failure(.foreign("what it offers as its handover socket is no Unix socket that listens")))
    }
    _ = calls.keepNonblocking(own.descriptor.number)
    waiting.resume(
      returning: .success(
        Joined(
          role: .successor(dialogue, process: process, generation: generation), listener: own.descriptor,
          bound: bound.held(at: claim.path, by: state.withLock { $0.given }, calls: calls),
          inherited: all.filter { $0.label.name != Handover.socketName })))
  }

  private func takeDialogue() -> SuccessorDriver? {
    state.withLock { state in
      defer { state.dialogue = nil }
      return state.dialogue
    }
  }

  private func takeWaiting() -> CheckedContinuation<Answer, Never>? {
    state.withLock { state in
      defer { state.waiting = nil }
      return state.waiting
    }
  }

  private func report(_ event: Later) {
    let listener = state.withLock { state in
      if state.listener == nil { state.later.append(event) }
      return state.listener
    }
    listener?(event)
  }

  private func pause() async {
    await withCheckedContinuation { done in
      _ = loop.schedule(at: .now + .milliseconds(20)) { done.resume() }
    }
  }
}

extension SuccessorStateMachine.Failure {
  /// Why to ask again; nil when asking again leads nowhere.
  fileprivate var mayPass: String? {
    switch self {
    case .refused(.starting, let reason), .refused(.stopping, let reason): reason
    case .predecessorLost: "whoever holds it closes the connection without a word, or has just ended"
    case .refused, .foreign, .timedOut, .givenUp, .connectionLost, .withdrawn: nil
    }
  }
}

extension HandoverError {
  init(_ failure: SuccessorStateMachine.Failure, socket: String) {
    switch failure {
    case .refused(.busy, let reason):
      self.init(
        .refused, socket: socket,
        reason: "the process at \(socket) refuses: \(reason); start this one again when that is over")
    case .refused(_, let reason):
      self.init(.refused, socket: socket, reason: "the process at \(socket) refuses: \(reason)")
    case .foreign(let reason):
      self.init(
        .foreign, socket: socket,
        reason: "what answers at \(socket) does not speak this protocol: \(reason); choose another socket path")
    case .timedOut(let reason):
      self.init(
        .timedOut, socket: socket,
        reason: "the process at \(socket) does not answer as one that can be taken over: \(reason)")
    case .givenUp(let reason):
      self.init(
        .givenUp, socket: socket,
        reason: "the process that serves at \(socket) gave this one up, and serves on: \(reason)")
    case .predecessorLost, .connectionLost:
      self.init(
        .lost, socket: socket,
        reason: "the connection to the process that serves at \(socket) was lost, and it is alive; start again when it "
          + "has ended")
    case .withdrawn(let reason):
      self.init(.withdrawn, socket: socket, reason: "this process withdrew from the handover at \(socket): \(reason)")
    }
  }
}
