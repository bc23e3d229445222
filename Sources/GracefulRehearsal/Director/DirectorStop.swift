internal import GracefulDescriptors
internal import GracefulProcesses
internal import NIOCore

/// One stop as the director saw it.
struct StopRecord {
  var askedAt: NIODeadline
  var server: ProcessID
  var finish: StopStateMachine.Finish
}

extension Director {
  /// Asks the server to stop, waits until it has, starts it anew, and waits until it answers.
  mutating func stop(by method: StopMethod, _ settings: LoadSettings) async throws(NotDone) {
    try checkPidFile()
    let server = currentNewest()
    if let server { processes.observe(server) }
    guard let server, processes.death(of: server) == nil else {
      throw NotDone("the server ended before it was asked to stop.")
    }
    let askedAt = NIODeadline.now()
    observations.windows.open(at: askedAt)
    observations.stops.open(at: askedAt)
    let machine = StopStateMachine(server: server.rawValue, command: try ask(server, method))
    let finish = try await follow(machine, server, settings)
    stops.append(StopRecord(askedAt: askedAt, server: server, finish: finish))
    if finish.isGone { _ = try await launch() }
    observations.stops.close(at: .now())
    observations.windows.close(at: .now())
  }

  /// - Returns: The command that asks, where it is one.
  private func ask(_ server: ProcessID, _ method: StopMethod) throws(NotDone) -> Int32? {
    switch method {
    case .signal(let number, let name):
      guard processes.signal(server, number) else { throw NotDone("\(name) could not be sent to process \(server).") }
      return nil
    case .command(let text):
      do throws(SystemError) {
        return try processes.shell(text, for: server).rawValue
      } catch {
        throw NotDone("the stop command could not be started: \(error).")
      }
    }
  }

  /// Gives a stop's machine what happens until it is over, and does what it says.
  private mutating func follow(
    _ machine: StopStateMachine, _ server: ProcessID, _ settings: LoadSettings
  ) async throws(NotDone) -> StopStateMachine.Finish {
    var machine = machine
    let limit = ContinuousClock.now + configuration.stopLimit
    var isLate = false
    var looked: StopStateMachine.Event?
    while true {
      var event = looked
      looked = nil
      if event == nil, !isLate, ContinuousClock.now >= limit {
        isLate = true
        event = .limit
      }
      if event == nil {
        let pause = ContinuousClock.now + .milliseconds(250)
        if case .ended(let pid, let status) = try await next(until: isLate ? pause : min(pause, limit)) {
          event = .ended(pid.rawValue, code: await code(of: pid, status))
        }
        tellProgress()
      }
      guard let event else { continue }
      for action in machine.receive(event) {
        switch action {
        case .kill(let number):
          let pid = ProcessID(rawValue: number)
          if pid == server { observations.killedByUs(pid) }
          processes.signal(pid, 9)
        case .probe: looked = .probed(answers: await Probe(settings).isAnswered())
        case .finish(let finish): return finish
        }
      }
    }
  }

  /// Of a process that came to us its code is known a moment after its end.
  private func code(of pid: ProcessID, _ status: ExitStatus?) async -> Int32? {
    if let status { return status.shellCode }
    await processes.poll(for: .milliseconds(500), whileUninterrupted: true) { processes.status(of: pid) != nil }
    return processes.status(of: pid)?.shellCode
  }
}

extension Director {
  /// The stops, with what the clients saw of them.
  var stopsAsReported: [RehearsalReport.Stop] {
    zip(stops, observations.stops.all).enumerated().map { index, stop in
      let (record, window) = stop
      func after(_ instant: NIODeadline?) -> Double? {
        instant.map { Double(($0 - record.askedAt).nanoseconds) / 1_000_000 }
      }
      return RehearsalReport.Stop(
        index: index + 1, requestedAtMs: Double((record.askedAt - startedAt).nanoseconds) / 1_000_000,
        outcome: record.finish.outcome, pid: record.server.rawValue,
        endedAfterMs: record.finish.isGone ? after(processes.end(of: record.server, at: record.askedAt)?.at) : nil,
        exitCode: record.finish.code, commandCode: record.finish.commandCode, turnedAway: window.turnedAway,
        firstTurnedAwayAfterMs: after(window.firstAt),
        servingAfterMs: record.finish.isGone ? after(window.servedAt) : nil)
    }
  }
}
