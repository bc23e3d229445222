public import GracefulDescriptors
public import GracefulProcesses
internal import Synchronization
internal import SystemPackage

/// This process's part in a line of generations that serve one after the other.
///
/// ```swift
/// let handover = try await Handover.join(.init(socket: "/run/shop/handover.sock"))
/// let listener = try handover.listener("http", on: ListenAddress("127.0.0.1:8080")!)
/// // … prepare everything; accept nothing …
/// try await handover.ready(acceptor)  // it is told to accept: this process is the owner now
/// ```
/// ``join(_:)`` makes it the first or the successor of the process that holds the socket. Until ``ready(_:)`` returns the
/// predecessor serves; from then on this process does, and can be taken over itself.
public final class Handover: Sendable {
  /// How to take part.
  public struct Configuration: Sendable {
    /// The path of the handover socket: the processes that are given the same one take over from each other.
    public var socket: String
    /// What others see in their logs.
    ///
    /// The name of the executable by default.
    public var program: String
    /// How long each step may take.
    public var limits = HandoverLimits()
    /// What ``Handover/restart()`` starts.
    ///
    /// By default the command that this process was started with, its executable found anew at its path.
    public var successor: Command?
    /// Called with everything that happens, mostly on the handover's own thread; it must return at once.
    public var onEvent: @Sendable (HandoverEvent) -> Void

    package var calls = SocketCalls.live
    /// Whether a successor is to be a child of this process's parent.
    package var isServedByParent: @Sendable () -> Bool = {
      ServiceManager.isParent(environment: EnvironmentVariables.all, parent: .parent)
    }
    /// Speaks with peers that want control, each on the handover's own thread; `nil` when they are not answered.
    package var control: (@Sendable (ControlConnection) -> Void)?
    /// Told when no peer can come for control any more: the socket that had stayed for it is another process's.
    package var controlEnded: @Sendable () -> Void = {}

    /// Makes a configuration.
    public init(
      socket: String, program: String? = nil, onEvent: @escaping @Sendable (HandoverEvent) -> Void = { _ in }
    ) {
      self.socket = socket
      let path = CommandLine.arguments.first ?? "?"
      self.program = program ?? String(path.split(separator: "/").last ?? "?")
      self.onEvent = onEvent
    }
  }

  enum Role: Sendable {
    case first
    case successor(SuccessorDriver)
  }

  struct State {
    var inherited: [NamedDescriptor]
    var offered: [NamedDescriptor]
    var acceptor: Acceptor?
    /// Of what goes along with it.
    var companions: [Acceptor] = []
    var failure: HandoverError?
    var whenFailed: [CheckedContinuation<Void, Never>] = []
    var isReady = false
    var isOwner = false
    var isStopping = false
    var hasLeft = false
    var takenOverBy: Int32?
    var predecessorHasEnded = false
    /// Where the listeners among what is offered listen, by their names.
    var listening: [String: ListenAddress] = [:]
    /// Whether what is offered was ever sent to a successor.
    var hasMadeOffer = false
    var whenTakenOver: [@Sendable (Int32) -> Void] = []
    /// The callers that wait in ``Handover/ready(_:)``.
    var owning: [CheckedContinuation<Result<Void, HandoverError>, Never>] = []
    /// The handover socket, until it is the successor's, or this process has left: kept any longer, it would let
    /// peers wait for an answer that never comes.
    var socket: SharedDescriptor?
    /// What the handover socket was bound to, for as long as it is this process's to remove.
    var bound: BoundPath?
    var pathWatch: PathWatch?
    /// Whether its listening was ended by another process that has it.
    var socketIsLost = false
    /// What was told of the path last, while something is wrong with it.
    var pathTrouble: String?
    var driver: PredecessorDriver?
    /// How to send a signal to those that were started to take over.
    var children: [Int32: @Sendable (Int32) -> Bool] = [:]
  }

  /// 1 for the first process, one more for each that took over.
  public let generation: Int
  /// The process that is taken over from; nil for the first.
  public let predecessor: Int32?

  let role: Role
  let configuration: Configuration
  let claim: SocketClaim
  let successor: Command
  let loop: PollLoop
  let state: Mutex<State>

  /// The name under which the handover socket itself passes on.
  static let socketName = "graceful.handover-socket"

  private init(
    _ joined: HandoverJoin.Joined, configuration: Configuration, claim: SocketClaim, successor: Command, loop: PollLoop
  ) {
    self.configuration = configuration
    self.claim = claim
    self.successor = successor
    self.loop = loop
    let label = DescriptorLabel(name: Self.socketName, metadata: joined.bound.metadata)
    state = Mutex(
      State(
        inherited: joined.inherited, offered: [NamedDescriptor(label: label, descriptor: joined.listener)],
        socket: joined.listener, bound: joined.bound))
    switch joined.role {
    case .first:
      role = .first
      generation = 1
      predecessor = nil
    case .successor(let dialogue, let process, let before):
      role = .successor(dialogue)
      generation = Int(before) + 1
      predecessor = process
    }
  }

  deinit {
    // The thread keeps the loop; with no holder left to give it anything it would wait for ever.
    loop.stop()
  }
}

extension Handover.Configuration {
  /// Looks at the socket path, its directory and what is there, without connecting to it or changing anything.
  ///
  /// - Throws: what is wrong with it, and what to do.
  public func validate() throws(HandoverError) {
    do { _ = try SocketPath(socket).check(calls: calls) } catch { throw HandoverError(error, socket: socket) }
  }
}

// MARK: Taking part

extension Handover {
  /// Becomes the first process at this socket, or the successor of the process that holds it.
  ///
  /// Two that start first at once: one is the first, the other its successor.
  /// - Throws: when the path cannot be used, something of another kind answers there, or the process that serves
  ///   refuses or does not answer in time; ``HandoverError/Code/withdrawn`` when the task is cancelled. A path whose
  ///   process has died is no error: it is replaced.
  public static func join(_ configuration: Configuration) async throws(HandoverError) -> Handover {
    let socket = configuration.socket
    let path: SocketPath
    do { path = try SocketPath(socket) } catch { throw HandoverError(error, socket: socket) }
    let claim = SocketClaim(path: path, calls: configuration.calls)
    let loop: PollLoop
    let successor: Command
    do throws(SystemError) {
      successor = if let given = configuration.successor { given } else { try ThisProgram.command() }
      loop = try PollLoop(name: "handover")
      DescriptorReserve.shared.keep()
    } catch { throw HandoverError(error, socket: socket) }

    do throws(HandoverError) {
      let join = HandoverJoin(claim: claim, configuration: configuration, loop: loop)
      let joined = try await join.run()
      let handover = Handover(
        joined, configuration: configuration, claim: claim, successor: successor, loop: loop)
      // Weak, because the dialogue holds this and the handover holds the dialogue.
      join.attach { [weak handover] in handover?.happened($0) }
      if case .first = handover.role { handover.listen() }
      return handover
    } catch {
      loop.stop()
      throw error
    }
  }

  /// A listener by its name: the inherited listener if it has this address, else a new one, bound to it.
  ///
  /// It is offered to a successor under the same name.
  /// - Throws: when the address cannot be bound, or the name is longer than 255 bytes. That there was nothing to inherit is no error.
  public func listener(_ name: String, on address: ListenAddress) throws(SystemError) -> OwnedDescriptor {
    guard name.utf8.count <= DescriptorLabel.nameLimit, name != Self.socketName else {
      throw SystemError(
        operation: "listener", subject: name, errno: .invalidArgument,
        advice: "a name has at most \(DescriptorLabel.nameLimit) bytes, and \(Self.socketName) is taken")
    }
    if let inherited = take(name) {
      if canServe(inherited, at: address) {
        offer(inherited, as: DescriptorLabel(name: name))
        return try inherited.owned.duplicate()
      }
      // A deploy has changed the address: the old listener is closed here, and with the predecessor's it is gone.
      configuration.onEvent(.unclaimed([name]))
    }
    let new = SharedDescriptor(try address.listen(calls: configuration.calls))
    offer(new, as: DescriptorLabel(name: name))
    return try new.owned.duplicate()
  }

  /// Says that everything is prepared, and returns when this process serves: its acceptor has been told to accept.
  ///
  /// For the first process that is at once. A successor waits for the commit, acknowledged by both sides, or for the
  /// proof that the predecessor has died. What it inherited and did not ask for is closed. Accepting begins through the
  /// acceptor, and not when this returns, because the next successor may have taken over by then.
  /// A second call waits as the first does; its acceptor takes the place of the first one's.
  /// - Parameter acceptor: how to accept, how to stop it when a successor of this process commits, and to begin again.
  /// - Throws: when the predecessor gave this process up, or the connection to it was lost while it lives; when this
  ///   process has left, or leaves meanwhile.
  public func ready(_ acceptor: Acceptor) async throws(HandoverError) {
    let hasLeft = hasLeftError
    let result: Result<Void, HandoverError> = await withCheckedContinuation { continuation in
      // One decision under the lock: a leave or a failure afterwards finds the continuation, and resumes it.
      let (answer, isFirstCall) = state.withLock { state -> (Result<Void, HandoverError>?, Bool) in
        if state.hasLeft { return (.failure(hasLeft), false) }
        state.acceptor = acceptor
        if state.isOwner { return (.success(()), false) }
        if let failure = state.failure { return (.failure(failure), false) }
        state.owning.append(continuation)
        defer { state.isReady = true }
        return (nil, !state.isReady)
      }
      if let answer { return continuation.resume(returning: answer) }
      if isFirstCall { loop.execute { self.prepared() } }
    }
    try result.get()
  }

  /// Waits until the predecessor gives this process up, or the connection to it is lost.
  ///
  /// Returns only then.
  package func failed() async {
    await withCheckedContinuation { continuation in
      let hasFailed = state.withLock { state in
        if state.failure == nil { state.whenFailed.append(continuation) }
        return state.failure != nil
      }
      if hasFailed { continuation.resume() }
    }
  }

  /// Calls `body` once, with the number of the successor's process, when it has taken over; at once if it has.
  ///
  /// From then on this process accepts nothing more; it should drain and end.
  public func whenTakenOver(_ body: @escaping @Sendable (Int32) -> Void) {
    let process = state.withLock { state in
      if state.takenOverBy == nil { state.whenTakenOver.append(body) }
      return state.takenOverBy
    }
    if let process { body(process) }
  }

  /// This process has been asked to stop: no handover begins any more.
  ///
  /// A handover that has begun goes on.
  public func stopRequested() {
    loop.execute {
      self.state.withLock { $0.isStopping = true }
      self.driver?.receive(.stopRequested)
      guard case .successor(let dialogue) = self.role, self.state.withLock({ !$0.isOwner }) else { return }
      dialogue.receive(.withdrawn("it was asked to stop"))
    }
  }

  /// Leaves: the socket path is removed if it is still this process's, and the next one to start is the first.
  ///
  /// In `Lifecycle.withHandover` the path stays for `graceful stop` and `graceful status` until the lifecycle has ended, or
  /// the next process wants it: that one gets it at once.
  ///
  /// Call it when the listeners are closed. While a successor is taking over, or has, nothing is removed: the path is
  /// the successor's, and the connection to it stays until this process ends, because by its end the successor knows
  /// of this one's.
  public func leave() async {
    let isFirstCall = state.withLock { state in
      defer { state.hasLeft = true }
      return !state.hasLeft
    }
    guard isFirstCall else { return }
    await withCheckedContinuation { done in
      loop.execute {
        self.leaveNow()
        done.resume()
      }
    }
  }
}
