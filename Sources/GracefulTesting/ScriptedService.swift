public import ServiceLifecycle

/// A service of swift-service-lifecycle that behaves as a test needs it, and knows nothing of Graceful.
///
/// It can run as a phase or in a `ServiceGroup`, and records what happens to it, as `name: event`: `started`; `told`, when
/// it hears its graceful shutdown; `cancelled`; `ended`, when it comes back.
///
/// ```swift
/// @Test(.timeLimit(.minutes(1))) func thePipelineDrainsBeforeTheDatabase() async {
///   let clock = ManualClock()
///   let shop = Lifecycle("shop")
///   let database = shop.phase("database", script: .obedient, on: clock)
///   let pipeline = ScriptedService("pipeline", .slow(.seconds(3)), on: clock)
///   shop.phase("pipeline", requires: database, service: pipeline)
///   async let report = shop.run(on: clock)
///   await clock.recorder.wait(for: "pipeline: started")
///
///   shop.requestStop()
///   await clock.recorder.wait(for: "pipeline: drains")
///   clock.advance(by: .seconds(3))
///
///   #expect(await report.exitCode == 0)
///   #expect(clock.recorder.saw(inOrder: "pipeline: told", "pipeline: ended", "database: turn"))
/// }
/// ```
public struct ScriptedService: Service, CustomStringConvertible {
  /// What a scripted service does.
  public struct Script: Sendable {
    let play: @Sendable (ScriptedService) async throws -> Void

    /// A script of your own.
    public init(_ play: @escaping @Sendable (ScriptedService) async throws -> Void) { self.play = play }
  }

  /// Its name, before what it records.
  public let name: String
  /// Where it records.
  public let clock: ManualClock
  private let script: Script

  /// Makes one.
  /// - Parameters:
  ///   - name: Stands before what it records; need not be the name of its phase.
  ///   - script: ``Script/obedient`` unless said otherwise.
  ///   - clock: For its recorder, and for the time that it needs. It may run without a lifecycle on this clock.
  public init(_ name: String, _ script: Script = .obedient, on clock: ManualClock) {
    self.name = name
    self.script = script
    self.clock = clock
  }

  /// Follows its script.
  public func run() async throws {
    record("started")
    defer { record("ended") }
    try await withGracefulShutdownHandler {
      try await withTaskCancellationHandler {
        try await script.play(self)
      } onCancel: {
        record("cancelled")
      }
    } onGracefulShutdown: {
      record("told")
    }
  }

  /// The name, for a group's log.
  public var description: String { name }

  /// Records an event of this service.
  public func record(_ event: String) { clock.recorder.record("\(name): \(event)") }
}

extension ScriptedService.Script {
  /// Returns when it is told, or cancelled.
  public static var obedient: Self { Self { _ in try? await gracefulShutdown() } }

  /// Throws at once.
  public static func failsAtStart(_ error: String) -> Self { Self { _ in throw PhaseScript.Failure(error) } }

  /// Throws in its first runs, each time this long after it has begun, and then is ``obedient``.
  ///
  /// For a phase that is started again (`restart:`). Records `running` once it waits.
  ///
  /// - Parameters:
  ///   - times: In how many runs; with zero or less it is obedient from the first one on.
  ///   - duration: Zero unless said otherwise.
  ///   - error: What it throws, as text.
  public static func fails(_ times: Int, after duration: Duration = .zero, _ error: String) -> Self {
    let runs = RunCount()
    return Self { service in
      guard runs.next() <= times else {
        try? await gracefulShutdown()
        return
      }
      if duration > .zero {
        await service.clock.pause(for: duration, recording: "\(service.name): running")
      }
      throw PhaseScript.Failure(error)
    }
  }

  /// Returns after this long without having been told to.
  ///
  /// Records `running` once it waits.
  public static func returnsByItself(after duration: Duration) -> Self {
    Self { service in await service.clock.pause(for: duration, recording: "\(service.name): running") }
  }

  /// Needs this long when it has been told, and ignores its cancellation meanwhile.
  ///
  /// Records `drains` once it waits.
  public static func slow(_ drain: Duration) -> Self {
    Self { service in
      try? await gracefulShutdown()
      await service.clock.pause(for: drain, recording: "\(service.name): drains")
    }
  }

  /// Throws when it is told.
  public static func throwsWhileDraining(_ error: String) -> Self {
    Self { _ in
      try? await gracefulShutdown()
      throw PhaseScript.Failure(error)
    }
  }

  /// Does not end when it is told, only when it is cancelled.
  public static var ignoresDrain: Self {
    Self { _ in
      await PhaseScript.untilCancelled()
      throw CancellationError()
    }
  }

  /// Never ends.
  public static var ignoresCancel: Self {
    Self { _ in await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in } }
  }
}
