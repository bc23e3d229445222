public import GracefulHandover
public import GracefulShutdown
public import GracefulTriggers
internal import Synchronization

extension Lifecycle {
  /// Takes part in a line of generations, as the first or as the successor of the process that serves: one call.
  ///
  /// It joins the two columns: a successor that takes over stops this lifecycle (who asked: the successor); a stop ends
  /// the wish to be taken over; what happens is logged.
  /// - Parameters:
  ///   - configuration: the socket path, mostly. Its `onEvent` is called too, after the log.
  ///   - phase: the phase that takes over and serves; its stop is the handover's.
  ///   - signal: at this signal the process starts its own successor. None by default: the signal then does what it
  ///     always did. `SIGHUP` is the custom.
  /// - Throws: ``HandoverError``, or an error of the signal.
  public func join(
    _ configuration: Handover.Configuration, for phase: Phase, restartOn signal: Signal? = nil
  ) async throws -> Handover {
    var configuration = configuration
    let log = HandoverLog(logger: logger)
    let further = configuration.onEvent
    configuration.onEvent = { event in
      log.write(event)
      further(event)
    }
    let handover = try await Handover.join(configuration)
    handover.whenTakenOver { [self] process in
      requestStop(StopRequest(who: .successor(process), why: "it has taken over"))
    }
    if let signal { try RestartSignals.listen(signal) { handover.restart() } }
    Task.detached {
      await phase.stopRequested()
      handover.stopRequested()
    }
    return handover
  }
}

extension Phase {
  /// Says that this process is prepared, and returns when it is to accept; see ``Handover/ready(_:)``.
  ///
  /// A successor waits here until the predecessor has let go.
  /// - Throws: when the predecessor gave this process up; `CancellationError` when a stop was requested meanwhile, so
  ///   that the phase counts as stopped and not as failed.
  public func takeOver(_ handover: Handover, accepting acceptor: Acceptor) async throws {
    do {
      try await handover.ready(acceptor)
    } catch {
      guard error.code == .withdrawn, isStopRequested else { throw error }
      throw CancellationError()
    }
  }
}

/// Those who listen for a restart signal. They are kept until the process ends: without one, the signal's default
/// action would end a process that is draining.
private enum RestartSignals {
  private static let sources = Mutex<[SignalSource]>([])

  static func listen(_ signal: Signal, _ restart: @escaping @Sendable () -> Void) throws {
    let source = try SignalSource([signal]) { _ in restart() }
    sources.withLock { $0.append(source) }
  }
}
