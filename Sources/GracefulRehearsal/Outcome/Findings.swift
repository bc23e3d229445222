internal import GracefulProcesses
internal import NIOCore

/// What a run has gathered, before it is a report.
struct Findings {
  private(set) var obstacle: NotDone?
  var load: [LoadMode: LoadTally] = [:]
  var leftOver: [ProcessID] = []
  /// The newest process at the end of the run.
  var newest: ProcessID?
  /// What ended after this was ended by the rehearsal itself, and says nothing about a restart.
  var endedByUsFrom = NIODeadline.distantFuture

  /// Notes what stood in the way; the first one counts, and what voids everything.
  mutating func note(_ obstacle: NotDone) {
    if self.obstacle == nil || (obstacle.isVoid && self.obstacle?.isVoid == false) { self.obstacle = obstacle }
  }

  func report(_ director: Director, _ configuration: RehearsalConfiguration) -> RehearsalReport {
    let records = director.records
    let left =
      leftOver
      + records.compactMap(\.finish.leftOver).map(ProcessID.init(rawValue:)).filter {
        !leftOver.contains($0)
      }
    var evidence = RehearsalOutcome.Evidence()
    var obstacle = obstacle
    // What the machine refuses after the director's last look is refused all the same.
    if obstacle?.isVoid != true, let refusal = director.observations.ownRefusal {
      obstacle = NotDone(OwnRefusal.sentence(errno: refusal), isVoid: true)
    }
    evidence.obstacle = obstacle?.reason
    evidence.isVoid = obstacle?.isVoid ?? false
    evidence.isBalanced = load.values.allSatisfy(\.isBalanced)
    evidence.requests = load.values.map(\.sent).reduce(0, +)
    evidence.leftOver = left.count
    evidence.asked = configuration.restarts
    let stops = director.stopsAsReported
    evidence.areStops = configuration.stop != nil
    evidence.served = records.count { $0.finish.outcome == .served } + stops.count { $0.outcome == .stopped }
    evidence.notKnown = records.count { $0.finish.outcome == .notKnown }
    evidence.trusted = records.count { $0.finish.proof == .trust }
    evidence.turnedAway = load.values.map(\.turnedAway).reduce(0, +)
    evidence.faultsPlanned = records.count(where: \.faultPlanned)
    evidence.faultsTaken = records.count(where: \.finish.wasFaulted)
    let loads = load.mapValues { Self.summary($0, configuration.connections) }
    evidence.lost = loads.values.map(\.lost).reduce(0, +)
    evidence.tooSlow = LatencyLimits(configuration).exceeded(by: loads)
    return RehearsalReport(
      command: director.command.words,
      restarts: records.indices.map { restart($0, of: records, director) }, stops: stops,
      keepalive: loads[.keepalive], new: loads[.new], leftOver: left.map(\.rawValue),
      outcome: RehearsalOutcome(evidence),
      lastErrorLines: director.processes.lastErrorLines,
      duration: .nanoseconds((NIODeadline.now() - director.startedAt).nanoseconds))
  }

  private func restart(
    _ index: Int, of records: [RestartRecord], _ director: Director
  ) -> RehearsalReport.Restart {
    let record = records[index]
    func after(_ instant: NIODeadline?) -> Double? {
      instant.map { Double(($0 - record.askedAt).nanoseconds) / 1_000_000 }
    }
    let served = record.finish.outcome == .served
    let seemsServed = record.seemsServed
    let next = records.indices.contains(index + 1) ? records[index + 1].askedAt : .distantFuture
    var (pid, generation) = (record.finish.pid, record.finish.generation)
    if served, generation == nil, director.command.isDemo {
      // A command may return before the new process says that it serves.
      let identity = director.servings.last { $0.at >= record.askedAt && $0.at < next }?.identity
      (pid, generation) = (identity?.pid.rawValue, identity?.generation)
    }
    var firstAnswer: NIODeadline?
    if let pid, let generation {
      firstAnswer = director.observations.firstAnswer(
        of: ServerIdentity(generation: generation, pid: ProcessID(rawValue: pid)))
    }
    let replaced = director.stayed(index, last: newest) ? nil : record.old
    let old = replaced.flatMap { pid -> (at: NIODeadline, code: Int32?)? in
      guard let end = director.processes.end(of: pid, at: record.askedAt), end.at < endedByUsFrom,
        !leftOver.contains(pid)
      else { return nil }
      // An old process that went on serving ends in a later restart, and is reported there.
      guard seemsServed || end.at < next else { return nil }
      return (end.at, end.status?.shellCode)
    }
    return RehearsalReport.Restart(
      index: index + 1,
      requestedAtMs: Double((record.askedAt - director.startedAt).nanoseconds) / 1_000_000,
      outcome: record.finish.outcome,
      pid: pid,
      generation: generation,
      servingAfterMs: served
        ? after(firstAnswer ?? record.servedAt ?? (director.command.isDemo ? nil : record.endedAt)) : nil,
      provenBy: record.finish.proof,
      oldPid: replaced?.rawValue,
      oldExitedAfterMs: after(old?.at),
      oldExitCode: old?.code,
      wasFaulted: record.finish.wasFaulted,
      answering: record.finish.answering)
  }

  private static func summary(_ tally: LoadTally, _ connections: Int) -> RehearsalReport.Load {
    RehearsalReport.Load(
      connections: connections, requests: tally.sent - tally.notSent.values.reduce(0, +), answered: tally.answered,
      failed: tally.failed, turnedAway: tally.turnedAway, announcedCloses: tally.announcedCloses,
      idleCloses: tally.idleCloses,
      steady: tally.latency(.steady), restarting: tally.latency(.restarting), between: tally.latency(.between))
  }
}

extension RehearsalReport {
  static func notDone(_ reason: String, _ command: [String]) -> RehearsalReport {
    RehearsalReport(command: command, restarts: [], leftOver: [], outcome: .notDone(reason))
  }
}
