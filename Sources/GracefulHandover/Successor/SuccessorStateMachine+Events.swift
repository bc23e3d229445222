/// What happens to a successor, what it does, and how it can fail.
extension SuccessorStateMachine {
  package enum Event: Equatable, Sendable {
    case began
    case preamble(Preamble)
    /// A message, and how many descriptors really came with it.
    case message(Message, descriptors: Int)
    case unknownFrame(type: UInt16)
    case malformed(String)
    /// The end of the connection.
    case closed
    /// The process behind it is proven dead.
    case predecessorDied
    /// The program has prepared what it was given, and would serve.
    case prepared
    /// The program cannot or will not take over.
    case withdrawn(String)
    case deadline(Timer)
  }

  package enum Action: Equatable, Sendable {
    case send(Message)
    case close
    case arm(Timer, at: Instant)
    case disarm(Timer)
    /// Everything has come; the program may prepare it.
    case deliver(process: Int32, generation: UInt32)
    /// Accept from now on.
    case own(because: Proof)
    case fail(Failure)
    case notify(Notice)
    case ignored(String)
  }

  package enum Timer: Hashable, Sendable { case offer, commit, death }

  package enum Proof: Equatable, Sendable { case released, predecessorDied }

  package enum Notice: Equatable, Sendable { case predecessorEnded(process: Int32) }

  package enum Failure: Error, Equatable, Sendable {
    case refused(Message.Refusal, String)
    /// What answers there does not speak this protocol.
    case foreign(String)
    case timedOut(String)
    /// The predecessor gave this process up.
    case givenUp(String)
    /// It ended before all had come; no process owns anything now.
    case predecessorLost
    /// The connection ended, and its process lives: whether it serves is not known, so this process does not.
    case connectionLost
    case withdrawn(String)
  }
}
