internal import GracefulDescriptors
internal import Synchronization

/// Performs what the successor's machine decides.
///
/// On the poll loop's thread.
final class SuccessorDriver: Sendable {
  /// What comes of the dialogue.
  ///
  /// Called on the loop's thread, `deliver` and then `own`, or `fail`, each at most once.
  struct Outcome: Sendable {
    var deliver: @Sendable (_ process: Int32, _ generation: UInt32, [NamedDescriptor]) -> Void
    var own: @Sendable (SuccessorStateMachine.Proof) -> Void
    var fail: @Sendable (SuccessorStateMachine.Failure) -> Void
    var notify: @Sendable (SuccessorStateMachine.Notice) -> Void
    var ignored: @Sendable (String) -> Void
  }

  private let driver: MachineDriver<SuccessorStateMachine>
  private let timers: TimerTable<SuccessorStateMachine.Timer>
  private let outcome: Outcome
  private let connection = Mutex<FrameConnection?>(nil)
  private let inherited = Mutex<[NamedDescriptor]>([])

  init(loop: PollLoop, limits: HandoverLimits, outcome: Outcome) {
    driver = MachineDriver(SuccessorStateMachine(limits: limits, descriptorLimit: ThisProcess.descriptorLimit))
    timers = TimerTable(loop: loop)
    self.outcome = outcome
  }

  func start(_ socket: SharedDescriptor, peer: Peer, program: String, loop: PollLoop, calls: SocketCalls) {
    let connection = FrameConnection(socket, peer: peer, loop: loop, calls: calls) { [weak self] in self?.happened($0) }
    connection.expect(descriptors: 0)
    self.connection.withLock { $0 = connection }
    receive(.began)
    connection.start()
    connection.send(Preamble(purpose: .handover, program: program).encoded)
  }

  func receive(_ event: SuccessorStateMachine.Event) {
    driver.receive(event) { perform($0) }
  }

  /// Lets go of the connection.
  ///
  /// On the loop's thread.
  func close() {
    timers.disarmAll()
    let connection = connection.withLock { connection in
      defer { connection = nil }
      return connection
    }
    connection?.close()
  }

  private func happened(_ event: FrameConnection.Event) {
    switch event {
    case .preamble(let preamble): receive(.preamble(preamble))
    case .malformed(let reason): receive(.malformed(reason))
    case .closed: receive(.closed)
    case .peerDied: receive(.predecessorDied)
    case .frame(let frame, let descriptors):
      switch frame.message() {
      case .message(let message):
        if case .descriptors(let labels) = message {
          inherited.withLock { inherited in
            inherited += zip(labels, descriptors).map { NamedDescriptor(label: $0, descriptor: $1) }
          }
        }
        if case .welcome(let process, _, let count) = message {
          let connection = connection.withLock { $0 }
          connection?.watchProcess(calledItself: Int32(bitPattern: process))
          connection?.expect(descriptors: min(Int(clamping: count), ThisProcess.descriptorLimit))
        }
        receive(.message(message, descriptors: descriptors.count))
      case .unknownType(let type): receive(.unknownFrame(type: type))
      case nil: receive(.malformed("a frame of type \(frame.type) whose content is not what that type has"))
      }
    }
  }

  private func perform(_ action: SuccessorStateMachine.Action) {
    switch action {
    case .send(let message): connection.withLock { $0 }?.send(message)
    case .close: close()
    case .arm(let timer, let instant):
      timers.arm(timer, at: instant) { [weak self] in self?.receive(.deadline(timer)) }
    case .disarm(let timer): timers.disarm(timer)
    case .deliver(let process, let generation): outcome.deliver(process, generation, takeInherited())
    case .own(let proof): outcome.own(proof)
    case .fail(let failure):
      _ = takeInherited()
      outcome.fail(failure)
    case .notify(let notice): outcome.notify(notice)
    case .ignored(let reason): outcome.ignored(reason)
    }
  }

  private func takeInherited() -> [NamedDescriptor] {
    inherited.withLock { inherited in
      defer { inherited = [] }
      return inherited
    }
  }
}
