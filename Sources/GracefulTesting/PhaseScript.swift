public import GracefulShutdown

/// A phase that behaves as a test needs it.
///
/// It records what happens to it, as `name: event`.
///
/// The events: `started`, `ready`, `turn` (its turn to stop has come), `cancelled`, `ended`.
public struct PhaseScript: Sendable {
  let play: @Sendable (Phase, ManualLadder) async throws -> Void

  /// A script of your own.
  public init(_ play: @escaping @Sendable (Phase, ManualLadder) async throws -> Void) { self.play = play }

  /// What a scripted phase throws.
  public struct Failure: Error, Hashable, CustomStringConvertible {
    /// The text of the error.
    public var description: String

    /// Makes one.
    public init(_ description: String) { self.description = description }
  }

  /// Starts, is ready, waits for its turn, ends.
  public static var obedient: PhaseScript { slow(.zero) }

  /// As ``obedient``, but after its turn it needs this long.
  ///
  /// It ignores cancellation meanwhile.
  public static func slow(_ drain: Duration) -> PhaseScript {
    PhaseScript { phase, ladder in
      phase.ready()
      ladder.recorder.record("\(phase.name): ready")
      await phase.turnToStop()
      if drain > .zero {
        await ladder.pause(for: drain, recording: "\(phase.name): turn")
      } else {
        ladder.recorder.record("\(phase.name): turn")
      }
    }
  }

  /// Throws before it is ready.
  public static func failsAtStart(_ error: String) -> PhaseScript {
    PhaseScript { _, _ in throw Failure(error) }
  }

  /// Never says that it is ready; ends when its turn has come.
  public static var neverReady: PhaseScript {
    PhaseScript { phase, ladder in
      await phase.turnToStop()
      ladder.recorder.record("\(phase.name): turn")
    }
  }

  /// Is ready, and ends only when it is cancelled.
  public static var ignoresDrain: PhaseScript {
    PhaseScript { phase, ladder in
      await readyUntilCancelled(phase, ladder)
      throw CancellationError()
    }
  }

  /// Is ready, and never ends.
  public static var ignoresCancel: PhaseScript {
    PhaseScript { phase, ladder in
      await readyUntilCancelled(phase, ladder)
      // Left waiting for ever, and with it the task: that is what is being tested.
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
  }

  /// Is ready, and throws when its turn has come.
  public static func throwsWhileDraining(_ error: String) -> PhaseScript {
    PhaseScript { phase, ladder in
      await readyUntilTurn(phase, ladder)
      throw Failure(error)
    }
  }

  private static func readyUntilTurn(_ phase: Phase, _ ladder: ManualLadder) async {
    phase.ready()
    ladder.recorder.record("\(phase.name): ready")
    await phase.turnToStop()
    ladder.recorder.record("\(phase.name): turn")
  }

  private static func readyUntilCancelled(_ phase: Phase, _ ladder: ManualLadder) async {
    await readyUntilTurn(phase, ladder)
    await untilCancelled()
    ladder.recorder.record("\(phase.name): cancelled")
  }

  private static func untilCancelled() async {
    let (stream, continuation) = AsyncStream.makeStream(of: Never.self)
    // A stream that nothing is ever sent to ends its iteration when the task is cancelled.
    for await _ in stream {}
    continuation.finish()
  }
}

extension Lifecycle {
  /// Adds a phase that follows a script.
  @discardableResult
  public func phase(
    _ name: String, requires: PhaseHandle..., limit: Duration? = nil, script: PhaseScript, on ladder: ManualLadder
  ) -> PhaseHandle {
    phase(name, requires: requires, limit: limit) { phase in
      ladder.recorder.record("\(name): started")
      defer { ladder.recorder.record("\(name): ended") }
      try await script.play(phase, ladder)
    }
  }

  /// Runs under a manual ladder; see there for an example.
  ///
  /// - Parameter exiting: As `runAndExit` does: the report is written to the ladder, and the exit noted there.
  public func run(on ladder: ManualLadder, exiting: Bool = false) async -> LifecycleReport {
    await run(in: ladder, exiting: exiting)
  }
}
