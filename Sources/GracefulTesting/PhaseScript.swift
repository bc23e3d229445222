public import GracefulShutdown

/// A phase that behaves as a test needs it.
///
/// It records what happens to it with the ``ManualClock/recorder`` of its clock, as `name: event`. Every script records
/// `started` when its body is called and `ended` when it comes back; between them `ready`, `turn` (its turn to stop has
/// come) and `cancelled`, as far as it gets, and what is said at the script.
public struct PhaseScript: Sendable {
  let play: @Sendable (Phase, ManualClock) async throws -> Void

  /// A script of your own.
  public init(_ play: @escaping @Sendable (Phase, ManualClock) async throws -> Void) { self.play = play }

  /// What a scripted phase throws.
  public struct Failure: Error, Hashable, CustomStringConvertible {
    /// The text of the error.
    public var description: String

    /// Makes one.
    public init(_ description: String) { self.description = description }
  }

  // MARK: How it starts

  /// Throws before it is ready.
  public static func failsAtStart(_ error: String) -> PhaseScript {
    PhaseScript { _, _ in throw Failure(error) }
  }

  /// Needs this long until it is ready, whatever it is told meanwhile; then as ``obedient``.
  ///
  /// Records `starting` once it waits.
  public static func slowStart(_ start: Duration) -> PhaseScript {
    PhaseScript { phase, clock in
      await clock.pause(for: start, recording: "\(phase.name): starting")
      await readyUntilTurn(phase, clock)
    }
  }

  /// Never says that it is ready; ends when its turn has come.
  public static var neverReady: PhaseScript {
    PhaseScript { phase, clock in
      await phase.turnToStop()
      clock.recorder.record("\(phase.name): turn")
    }
  }

  /// Fails in its first runs, each time this long after it is ready, and then is ``obedient``.
  ///
  /// For a phase that is started again (`restart:`). The runs are counted by the script: one script, one phase.
  ///
  /// ```swift
  /// shop.phase("consumer", restart: .onFailure(), script: .fails(3, "connection lost"), on: clock)
  /// ```
  /// - Parameters:
  ///   - times: In how many runs; with zero or less it is obedient from the first one on.
  ///   - duration: Zero unless said otherwise; `ready` is recorded once it waits.
  ///   - error: What it throws, as text.
  public static func fails(_ times: Int, after duration: Duration = .zero, _ error: String) -> PhaseScript {
    let runs = RunCount()
    return PhaseScript { phase, clock in
      guard runs.next() <= times else { return await readyUntilTurn(phase, clock) }
      phase.ready()
      if duration > .zero {
        await clock.pause(for: duration, recording: "\(phase.name): ready")
      } else {
        clock.recorder.record("\(phase.name): ready")
      }
      throw Failure(error)
    }
  }

  // MARK: How it ends

  /// Starts, is ready, waits for its turn, ends.
  public static var obedient: PhaseScript {
    PhaseScript { phase, clock in await readyUntilTurn(phase, clock) }
  }

  /// Is ready, and returns after this long without having been asked to.
  public static func returnsByItself(after duration: Duration) -> PhaseScript {
    PhaseScript { phase, clock in
      phase.ready()
      await clock.pause(for: duration, recording: "\(phase.name): ready")
    }
  }

  /// As ``obedient``, but after its turn it needs this long, and ignores its cancellation meanwhile.
  ///
  /// `turn` is recorded once it waits.
  public static func slow(_ drain: Duration) -> PhaseScript {
    PhaseScript { phase, clock in
      phase.ready()
      clock.recorder.record("\(phase.name): ready")
      await phase.turnToStop()
      await clock.pause(for: drain, recording: "\(phase.name): turn")
    }
  }

  /// Is ready, and throws when its turn has come.
  public static func throwsWhileDraining(_ error: String) -> PhaseScript {
    PhaseScript { phase, clock in
      await readyUntilTurn(phase, clock)
      throw Failure(error)
    }
  }

  /// Is ready, and ends only when it is cancelled, but then at once.
  public static var ignoresDrain: PhaseScript {
    PhaseScript { phase, clock in
      await readyUntilCancelled(phase, clock)
      throw CancellationError()
    }
  }

  /// Is ready, and never ends.
  public static var ignoresCancel: PhaseScript {
    PhaseScript { phase, clock in
      await readyUntilCancelled(phase, clock)
      // Left waiting for ever, and with it the task: that is what is being tested.
      await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
    }
  }

  /// As ``obedient``, with so many sessions inside.
  ///
  /// They are called `session 1`, `session 2`, and so on, and have begun when `ready` is recorded. Each records
  /// `session 1 drains` once the phase was told to drain and it waits, and `session 1 ended` or `session 1 cancelled`; or
  /// `session 1 refused`, when the phase was told to drain before it could begin.
  ///
  /// - Parameters:
  ///   - count: How many; with zero or less there are none.
  ///   - duration: What each needs, from then on. With `nil` they end only when they are cancelled.
  public static func sessions(_ count: Int, each duration: Duration?) -> PhaseScript {
    PhaseScript { phase, clock in
      let (began, beginning) = AsyncStream.makeStream(of: Void.self)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in stride(from: 1, through: count, by: 1) {
          group.addTask {
            let name = "\(phase.name): session \(number)"
            do {
              try await phase.withSession("session \(number)", cancellable: duration == nil) {
                beginning.yield()
                await phase.drainRequested()
                if let duration { return await clock.pause(for: duration, recording: "\(name) drains") }
                clock.recorder.record("\(name) drains")
                await untilCancelled()
                throw CancellationError()
              }
              clock.recorder.record("\(name) ended")
            } catch is PhaseError {
              clock.recorder.record("\(name) refused")
              // It will not begin, and is not waited for.
              beginning.yield()
            } catch is CancellationError {
              clock.recorder.record("\(name) cancelled")
            }
          }
        }
        var begins = began.makeAsyncIterator()
        for _ in stride(from: 1, through: count, by: 1) { await begins.next() }
        await readyUntilTurn(phase, clock)
        try await group.waitForAll()
      }
    }
  }

  // MARK: What they are made of

  private static func readyUntilTurn(_ phase: Phase, _ clock: ManualClock) async {
    phase.ready()
    clock.recorder.record("\(phase.name): ready")
    await phase.turnToStop()
    clock.recorder.record("\(phase.name): turn")
  }

  private static func readyUntilCancelled(_ phase: Phase, _ clock: ManualClock) async {
    await readyUntilTurn(phase, clock)
    await untilCancelled()
    clock.recorder.record("\(phase.name): cancelled")
  }

  static func untilCancelled() async {
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
    _ name: String, requires: some PhaseRequirement = .nothing, startLimit: Duration? = nil,
    limit: Duration? = nil, restart: RestartPolicy = .never, script: PhaseScript, on clock: ManualClock
  ) -> PhaseHandle {
    phase(name, requires: requires, startLimit: startLimit, limit: limit, restart: restart) { phase in
      clock.recorder.record("\(phase.name): started")
      defer { clock.recorder.record("\(phase.name): ended") }
      try await script.play(phase, clock)
    }
  }
}
