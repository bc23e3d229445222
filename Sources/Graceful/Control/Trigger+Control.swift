internal import GracefulDescriptors
internal import GracefulHandover
internal import GracefulShutdown
internal import GracefulSystem
public import GracefulTriggers
internal import Logging

extension Trigger {
  /// A Unix socket of its own, for `graceful stop`, `graceful status` and `graceful plan`.
  ///
  /// A program that takes part in handovers does not need it: `Lifecycle.withHandover` answers on the handover's socket.
  /// The socket has mode 0600, and its peers must be the user of this process, or root. It is removed when the run
  /// is over, as the last act before the exit. It is served by a thread of its own, although every thread of Swift's cooperative pool is blocked.
  ///
  /// A path that is left over from a process that has ended is replaced. It is a mistake of the configuration (exit code
  /// 78) when a process answers there, when the path is longer than the system takes (107 bytes on Linux), or when the
  /// directory is not the user's or root's, or others may write to it and it is not sticky.
  /// - Parameter path: In a directory that only this user can write to, for example `$XDG_RUNTIME_DIR/shop.sock`.
  public static func control(socket path: String) -> Trigger {
    let name = "control socket \(path)"
    return Trigger(name) { target throws(TriggerError) in
      do {
        return try ControlServer.listening(at: path, to: target)
      } catch let error as HandoverError {
        throw TriggerError(trigger: name, reason: error.reason)
      } catch {
        throw TriggerError(trigger: name, reason: "\(error)")
      }
    }
  }
}

extension ControlServer {
  /// The name of the executable.
  static var program: String {
    let path = CommandLine.arguments.first ?? "?"
    return String(path.split(separator: "/").last ?? "?")
  }

  fileprivate static func listening(at path: String, to target: StopTarget) throws -> Listening {
    let server = try ControlServer(program: program, Surroundings(of: target.lifecycle, ask: target.ask))
    let logger = target.lifecycle?.logger
    let refusals = SharedRepetitionLimit(5)
    do {
      let socket = try ControlSocket.open(
        path, program: program, on: server.loop, wait: { PollTimeout.pause(.milliseconds(2)) },
        refused: { process, reason in
          guard let logger, case .say(let unsaid) = refusals.decide(at: .now) else { return }
          logger.warning(
            "refused a peer on the control socket",
            metadata: ["peer.pid": "\(process)", "reason": "\(reason)", "unsaid": "\(unsaid)"])
        },
        admit: { [weak server] in server?.admit($0) })
      return Listening(
        leave: {
          socket.close()
          server.close()
        },
        exitHooks: [
          server.exitHook,
          // With `runAndExit` the trigger is not left any more: the exit comes first, and the path would stay.
          ExitHook(.last) { _ in socket.close() },
        ])
    } catch {
      server.close()
      throw error
    }
  }

  /// Peers that wait for the end are told of it with the report.
  var exitHook: ExitHook {
    ExitHook(.withReport) { [self] report in finish(report) }
  }
}

extension ControlServer.Surroundings {
  /// - Parameter lifecycle: Held by the caller that runs it, and not by its clients.
  init(of lifecycle: Lifecycle?, ask: @escaping @Sendable (StopRequest) -> Void) {
    self.ask = ask
    guard let lifecycle else { return }
    snapshot = { [weak lifecycle] in lifecycle?.whole.snapshot().json() ?? "" }
    plan = { [weak lifecycle] in lifecycle?.whole.plan().json() ?? "" }
  }
}
