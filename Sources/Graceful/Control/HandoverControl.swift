internal import GracefulDescriptors
internal import GracefulHandover
internal import GracefulShutdown
internal import GracefulSystem
internal import Logging
internal import Synchronization

/// The control requests that come to a handover's socket.
///
/// They are answered to the end of the whole, and not only to the end of the handover: the caller that has asked for
/// the stop waits for that.
final class HandoverControl: Sendable {
  private struct State {
    var server: ControlServer?
    var handover: Handover?
  }

  private let lifecycle: Lifecycle
  private let state = Mutex(State())

  init(of lifecycle: Lifecycle) { self.lifecycle = lifecycle }

  /// Before a peer can come.
  func opens(restart: @escaping @Sendable () -> Void) {
    var surroundings = ControlServer.Surroundings(of: lifecycle) { [weak lifecycle] in lifecycle?.whole.requestStop($0)
    }
    surroundings.restart = restart
    surroundings.generation = { [weak self] in self?.handover.map { UInt32(clamping: $0.generation) } ?? 1 }
    surroundings.requestPermission = { [weak self] answer in
      guard let handover = self?.handover else { return answer(nil) }
      handover.refuseSuccessors(answer)
    }
    do throws(SystemError) {
      let server = try ControlServer(program: ControlServer.program, surroundings)
      state.withLock { $0.server = server }
      let exitHook = server.exitHook
      lifecycle.say(
        ExitHook(exitHook.moment) { [self] report in
          exitHook.say(report)
          close()
        })
    } catch {
      lifecycle.logger.error(
        "the handover socket answers no control requests", metadata: ["error": "\(error)"])
    }
  }

  func open(for joined: Handover) { state.withLock { $0.handover = joined } }

  /// No peer can come any more.
  func close() {
    let (server, handover) = state.withLock { state in
      defer { state = State() }
      return (state.server, state.handover)
    }
    server?.close()
    // The process may exit when this returns, and its path would be left over.
    guard let handover else { return }
    let isGone = Latch<Void>()
    handover.letGo { isGone.set() }
    _ = isGone.wait(atMost: .milliseconds(100))
  }

  func admit(_ connection: ControlConnection) { server?.admit(connection) }

  /// The handover was left, and its socket is another process's by now: a phase that is started again has another one.
  func retire() { server?.retire() }

  func happened(_ event: HandoverEvent) { server?.happened(event) }

  private var server: ControlServer? { state.withLock { $0.server } }
  private var handover: Handover? { state.withLock { $0.handover } }
}
