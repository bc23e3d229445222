internal import GracefulDescriptors
internal import GracefulProcesses
internal import NIOCore

/// A measured run of restarts, or of stops, under load.
public enum Rehearsal {
  /// Starts the server, puts it under load, restarts or stops it, counts what was lost, and ends everything that it
  /// started.
  ///
  /// Cancelling the task ends it early: what was started is killed, the outcome is ``RehearsalOutcome/notDone(_:)``. This process
  /// becomes the subreaper of its descendants, for good.
  /// - Parameters:
  ///   - configuration: What to rehearse; see ``RehearsalConfiguration/usageError``.
  ///   - progress: Called about four times a second.
  public static func run(
    _ configuration: RehearsalConfiguration,
    progress: @escaping @Sendable (RehearsalProgress) -> Void = { _ in }
  ) async -> RehearsalReport {
    let startedAt = NIODeadline.now()
    if let usage = configuration.usageError { return .notDone(usage, configuration.command) }
    let directory: PrivateDirectory
    let loop: PollLoop
    do throws(SystemError) {
      loop = try PollLoop(name: "rehearsal")
      directory = try PrivateDirectory.make()
    } catch {
      return .notDone("\(error).", configuration.command)
    }
    defer {
      directory.remove()
      loop.stop()
    }
    var listen = "127.0.0.1:0"
    if configuration.stop != nil {
      guard let fixed = FixedAddress.choose() else {
        return .notDone("no port of 127.0.0.1 is free.", configuration.command)
      }
      listen = fixed
    }
    let command = ServerCommand(
      configuration.command, graceful: configuration.graceful, socket: "\(directory.path)/s",
      listen: listen)
    let (stream, continuation) = AsyncStream.makeStream(of: DirectorEvent.self)
    let processes: ServerProcesses
    do throws(SystemError) {
      processes = try ServerProcesses(
        on: loop, environment: configuration.environment, passesErrorOutput: configuration.passesErrorOutput
      ) { continuation.yield($0) }
    } catch {
      return .notDone("\(error).", command.words)
    }
    let observations = LoadObservations(windows: RestartWindows())
    var director = Director(
      configuration: configuration, command: command, processes: processes, observations: observations,
      startedAt: startedAt, events: DirectorEvents(stream, continuation, on: loop), progress: progress)
    var findings = Findings()
    do throws(NotDone) {
      let settings = try await director.start()
      let load = Load(
        modes: configuration.modes, connections: configuration.connections, settings: settings,
        observations: observations)
      do throws(NotDone) {
        try await director.run(settings)
      } catch {
        findings.note(error)
      }
      findings.load = await load.end()
    } catch {
      findings.note(error)
    }
    findings.newest = director.currentNewest()
    if findings.obstacle == nil {
      findings.leftOver = await leftOver(director, limit: configuration.leftOverLimit)
      findings.newest = director.currentNewest()
    }
    findings.endedByUsFrom = .now()
    let immortal = await processes.end(patience: findings.obstacle == nil ? .seconds(12) : .zero)
    // An interrupt of the wait for the end of the processes leaves open whether they would have ended.
    if Task.isCancelled, findings.obstacle == nil { findings.note(.interrupted) }
    if !immortal.isEmpty {
      findings.note(NotDone("processes \(immortal.map(\.description).joined(separator: ", ")) could not be killed."))
    }
    return findings.report(director, configuration)
  }

  /// Waits until the old processes have ended; what still lives at the limit is killed and named.
  private static func leftOver(_ director: Director, limit: Duration) async -> [ProcessID] {
    let processes = director.processes
    // Asked anew each time: the newest process is another when the old process above it has ended.
    let remaining: () -> [ProcessID] = { director.outlivers(newest: director.currentNewest()) }
    await processes.poll(for: limit, whileUninterrupted: true) { remaining().isEmpty }
    // What still lives then is killed with everything else, and whether it would have ended is not known.
    if Task.isCancelled { return [] }
    let left = remaining()
    for pid in left { processes.signal(pid, 9) }
    await processes.poll(for: .seconds(5)) { remaining().isEmpty }
    return left
  }
}
