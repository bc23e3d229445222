public import GracefulHandover
public import GracefulShutdown
public import GracefulTriggers
internal import Synchronization

extension Lifecycle {
  /// Takes part in a line of generations, as the first or as the successor of the process that serves: one call.
  ///
  /// It joins the two columns: a successor that takes over stops this lifecycle (and is the source of the request); a stop ends
  /// the wish to be taken over; what happens is logged. When `body` returns or throws, the handover is left
  /// (``Handover/leave()``), so that no path stays behind.
  ///
  /// The socket answers `graceful stop`, `graceful status`, `graceful restart` and `graceful plan`, too, from the first
  /// moment on, to those that may take over: this user and root.
  /// - Parameters:
  ///   - configuration: the socket path, mostly. Its `onEvent` is called too, after the log.
  ///   - phase: the phase that takes over and serves; its stop is the handover's.
  ///   - signal: at this signal the process starts its own successor. None by default: the signal then does what it
  ///     always did. `SIGHUP` is the custom.
  ///   - body: takes the listeners, prepares, takes over (``Phase/takeOver(_:accepting:)``), serves, and drains.
  /// - Throws: ``HandoverError``, an error of the signal, or what `body` throws.
  public func withHandover(
    _ configuration: Handover.Configuration, for phase: Phase, restartOn signal: Signal? = nil,
    _ body: (Handover) async throws -> Void
  ) async throws {
    let control = HandoverControl(of: self)
    let (configuration, told) = observed(configuration, by: control)
    let restarts = RestartRequests(told)
    control.opens(restart: { restarts.ask() })
    // First of all: until it is listened for, the signal would end a process that is still waiting for its turn.
    if let signal { try RestartSignals.listen(signal) { restarts.ask() } }
    let handover: Handover
    do {
      handover = try await joined(configuration, until: phase)
    } catch {
      control.close()
      throw error
    }
    ServiceNotifier.joined(after: handover.predecessor)
    do {
      restarts.open(for: handover)
      control.open(for: handover)
      Connected.keep(handover)
      let succession = whole.succession
      succession.join(
        Succession.Part(
          refusal: { handover.reasonNotToStop }, requestPermission: { handover.refuseSuccessors($0) }))
      for companion in HandoverCompanions.of(self) { companion.joined(handover) }
      // First of all: what is asked here from now on, is meant for the successor.
      handover.whenTakenOver { _ in succession.passOn() }
      handover.whenTakenOver { [self] process in
        requestStop(StopRequest(source: .successor(process), why: "it has taken over"))
      }
      // Detached: the wait for a stop must not end when the phase is cancelled, and holds nothing up.
      Task.detached {
        await phase.stopRequested()
        handover.stopRequested()
      }
      try await body(handover)
      await handover.leave()
    } catch {
      await handover.leave()
      throw error
    }
  }

  /// Joins, unless a stop is requested meanwhile: then the other process is not waited for.
  private func joined(_ configuration: Handover.Configuration, until phase: Phase) async throws -> Handover {
    let joining = Task.detached { () async throws -> Handover in try await Handover.join(configuration) }
    let stop = Task.detached {
      await phase.stopRequested()
      joining.cancel()
    }
    defer { stop.cancel() }
    do {
      return try await withTaskCancellationHandler {
        try await joining.value
      } onCancel: {
        joining.cancel()
      }
    } catch let error as HandoverError {
      throw phase.stoppedOrFailed(error)
    }
  }

  /// - Returns: also what is to be told of an event that comes from elsewhere.
  private func observed(
    _ configuration: Handover.Configuration, by control: HandoverControl
  ) -> (Handover.Configuration, @Sendable (HandoverEvent) -> Void) {
    var configuration = configuration
    let log = HandoverLog(logger: logger)
    let further = configuration.onEvent
    let told: @Sendable (HandoverEvent) -> Void = { event in
      log.write(event)
      control.happened(event)
      if event.kind == .predecessorEnded { ServiceNotifier.predecessorEnded() }
      further(event)
    }
    configuration.onEvent = told
    configuration.control = { control.admit($0) }
    configuration.controlEnded = { control.retire() }
    return (configuration, told)
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
      throw stoppedOrFailed(error)
    }
  }

  /// A process that withdrew because it was told to stop has not failed.
  fileprivate func stoppedOrFailed(_ error: HandoverError) -> any Error {
    error.code == .withdrawn && isStopRequested ? CancellationError() : error
  }
}

/// Where a restart is asked for, before there is a handover and after.
private final class RestartRequests: Sendable {
  private let told: @Sendable (HandoverEvent) -> Void
  private let handover = Mutex<Handover?>(nil)

  init(_ told: @escaping @Sendable (HandoverEvent) -> Void) { self.told = told }

  func open(for joined: Handover) { handover.withLock { $0 = joined } }

  func ask() {
    guard let handover = handover.withLock({ $0 }) else {
      return told(.restartFailed(reason: "this process does not serve yet"))
    }
    handover.restart()
  }
}

/// The handovers of this process, kept until it ends: by the end of its connection the successor knows of this process's.
private enum Connected {
  private static let handovers = Mutex<[Handover]>([])

  static func keep(_ handover: Handover) { handovers.withLock { $0.append(handover) } }
}

/// The listeners for a restart signal.
///
/// They are kept until the process ends: without one, the signal's default action would end a process that is draining.
private enum RestartSignals {
  private static let sources = Mutex<[SignalSource]>([])

  static func listen(_ signal: Signal, _ restart: @escaping @Sendable () -> Void) throws {
    let source = try SignalSource([signal]) { _ in restart() }
    sources.withLock { $0.append(source) }
  }
}
