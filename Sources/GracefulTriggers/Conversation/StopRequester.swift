public import GracefulShutdown
internal import GracefulSystem
internal import Synchronization

extension Trigger {
  /// A trigger of your own that answers: each of its requests is told what becomes of it.
  ///
  /// ```swift
  /// let commands = Trigger.answering("commands") { stops in
  ///   let subscription = queue.subscribe("stop") { message in
  ///     stops.request(StopRequest(source: .init(kind: "queue", detail: message.sender))) { answer in
  ///       message.reply("\(answer.state)")  // accepted, and stopped before the exit; or refused
  ///     }
  ///   }
  ///   return { subscription.cancel() }
  /// }
  /// ```
  /// - Parameters:
  ///   - name: What it is, for error messages.
  ///   - listen: Starts to listen, and returns how to stop that. It must not wait.
  public static func answering(
    _ name: String, listen: @escaping @Sendable (StopRequester) throws(TriggerError) -> Leave
  ) -> Trigger {
    Trigger(
      name,
      attach: { target throws(TriggerError) in
        let responder = StopResponder()
        responder.attach(to: target)
        let leave = try listen(StopRequester(responder: responder))
        return Listening(
          leave: {
            leave()
            responder.detach()
          }, exitHooks: [ExitHook(.withReport) { responder.conclude($0) }])
      })
  }
}

/// Requests stops for a trigger of your own.
public struct StopRequester: Sendable {
  let responder: StopResponder

  /// Requests a stop, and tells what becomes of it, only when it is true (T2).
  ///
  /// From any thread; it returns at once.
  /// - Parameters:
  ///   - request: Its source says that the trigger is yours: ``/Graceful/StopRequest/Source/init(kind:detail:escalatesWhenRepeated:)``.
  ///   - answer: Called on a thread of its own, which it may block: with ``StopAnswer/State/accepted``, and then, when
  ///     everything has ended and before the exit, with ``StopAnswer/State/stopped``; the exit waits for a second for it to
  ///     return. Or with ``StopAnswer/State/refused`` alone, when a successor is the one to be stopped, or may be: ask again.
  ///     Without a lifecycle (``Trigger/listen(_:)``), accepted is all that it is told.
  public func request(_ request: StopRequest, answer: @escaping @Sendable (StopAnswer) -> Void = { _ in }) {
    CallbackConversation(request, responder, answer).receive(.requested(.end()))
  }
}

/// A conversation about a stop that is carried by a function of the user's.
private final class CallbackConversation: Sendable {
  private struct State {
    var machine = StopConversationStateMachine()
    var place: StopResponder.Place?
  }

  private let request: StopRequest
  private let responder: StopResponder
  private let answer: @Sendable (StopAnswer) -> Void
  /// What happens, one after the other: the end may come from another thread before the acceptance has been told.
  private let events = Mailbox<StopConversationStateMachine.Event>()
  private let answers = Mailbox<(answer: StopAnswer, isLast: Bool)>()
  private let state = Mutex(State())

  init(_ request: StopRequest, _ responder: StopResponder, _ answer: @escaping @Sendable (StopAnswer) -> Void) {
    self.request = request
    self.responder = responder
    self.answer = answer
  }

  func receive(_ event: StopConversationStateMachine.Event) {
    events.post(event) { [self] event in
      for action in state.withLock({ $0.machine.receive(event, at: .now) }) { perform(action) }
    }
  }

  private func perform(_ action: StopConversationStateMachine.Action) {
    switch action {
    case .requestPermission:
      responder.requestPermission { [self] reason in
        receive(reason.map { .refused($0) } ?? .permitted(responder.answer))
      }
    case .requestStop:
      let place = responder.open { [self] answer in receive(.ended(answer)) }
      state.withLock { $0.place = place }
      responder.requestStop(request)
      switch place {
      case .open: break
      case .full: receive(.dismissed(responder.answer))
      case .ended: receive(.ended(responder.answer))
      }
    case .accept(let answer): tell(answer)
    case .finish(_, let answer): tell(answer, isLast: true)
    case .refuse(let reason): tell(StopAnswer(state: .refused, refusal: reason), isLast: true)
    case .snapshot, .say, .sayNothing, .look, .ignored: break
    }
  }

  private func tell(_ answer: StopAnswer, isLast: Bool = false) {
    guard answers.post((answer, isLast)) == .isFirst else { return }
    do throws(SystemError) {
      try SystemThread.start("graceful-answer") { [self] in deliver() }
    } catch {
      // Without a thread it is told here: late is better than never.
      deliver()
    }
  }

  private func deliver() {
    answers.drain { answer, isLast in
      self.answer(answer)
      if isLast, case .open(let id)? = state.withLock({ $0.place }) { responder.close(id) }
    }
  }
}
