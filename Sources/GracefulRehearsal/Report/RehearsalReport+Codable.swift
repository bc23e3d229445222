internal import GracefulJSON

extension RehearsalReport {
  /// The report as JSON in one line, as `schemas/rehearsal-report-1.json` describes it.
  ///
  /// Times are milliseconds, to the microsecond. The sentence of the outcome, the last lines of the server and how long the
  /// rehearsal took are not in it.
  public var json: String {
    // Only a Double can fail to be encoded, and those of a report are written by `Milliseconds`.
    (try? JSON.text(of: self, as: .line)) ?? ""
  }
}

/// A time in milliseconds, to the microsecond; what is no number is `null`, for JSON has none for it.
private struct Milliseconds: Codable {
  let value: Double

  init(_ value: Double) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    if let number = DecimalNumber(thousandths: value) { return try number.encode(to: encoder) }
    var container = encoder.singleValueContainer()
    try container.encodeNil()
  }

  init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(Double.self) }
}

extension RehearsalReport: Codable {
  private enum CodingKeys: String, CodingKey {
    case schema, command, restarts, stops, load, leftOver
    case outcome = "verdict"
  }

  private enum LoadKeys: String, CodingKey {
    case keepalive, new
  }

  private static var schema: Int { 1 }

  /// Writes every key; a mode of the load that did not run is left out.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.schema, forKey: .schema)
    try container.encode(command, forKey: .command)
    try container.encode(restarts, forKey: .restarts)
    try container.encode(stops, forKey: .stops)
    var load = container.nestedContainer(keyedBy: LoadKeys.self, forKey: .load)
    try load.encodeIfPresent(keepalive, forKey: .keepalive)
    try load.encodeIfPresent(new, forKey: .new)
    try container.encode(leftOver, forKey: .leftOver)
    try container.encode(outcome.word, forKey: .outcome)
  }

  /// Reads a report of schema 1; its outcome has no sentence.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try SchemaVersion.check(is: Self.schema, in: container, forKey: .schema)
    let load = try container.nestedContainer(keyedBy: LoadKeys.self, forKey: .load)
    self.init(
      command: try container.decode([String].self, forKey: .command),
      restarts: try container.decode([Restart].self, forKey: .restarts),
      stops: try container.decode([Stop].self, forKey: .stops),
      keepalive: try load.decodeIfPresent(Load.self, forKey: .keepalive),
      new: try load.decodeIfPresent(Load.self, forKey: .new),
      leftOver: try container.decode([Int32].self, forKey: .leftOver),
      outcome: RehearsalOutcome(word: try container.decode(RehearsalOutcome.Word.self, forKey: .outcome)))
  }
}

extension RehearsalReport.Restart: Codable {
  private enum CodingKeys: String, CodingKey {
    case index, requestedAtMs, outcome, pid, generation, servingAfterMs, provenBy, oldPid, oldExitedAfterMs, oldExitCode
  }

  /// Writes every key, with `null` for what is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(index, forKey: .index)
    try container.encode(Milliseconds(requestedAtMs), forKey: .requestedAtMs)
    try container.encode(outcome, forKey: .outcome)
    try container.encodeNullable(pid, forKey: .pid)
    try container.encodeNullable(generation, forKey: .generation)
    try container.encodeNullable(servingAfterMs.map(Milliseconds.init), forKey: .servingAfterMs)
    try container.encodeNullable(provenBy, forKey: .provenBy)
    try container.encodeNullable(oldPid, forKey: .oldPid)
    try container.encodeNullable(oldExitedAfterMs.map(Milliseconds.init), forKey: .oldExitedAfterMs)
    try container.encodeNullable(oldExitCode, forKey: .oldExitCode)
  }

  /// Reads a restart of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      index: try container.decode(Int.self, forKey: .index),
      requestedAtMs: try container.decode(Milliseconds.self, forKey: .requestedAtMs).value,
      outcome: try container.decode(RestartOutcome.self, forKey: .outcome),
      pid: try container.decodeNullable(Int32.self, forKey: .pid),
      generation: try container.decodeNullable(Int.self, forKey: .generation),
      servingAfterMs: try container.decodeNullable(Milliseconds.self, forKey: .servingAfterMs)?.value,
      // A report from before there was proof has no such key.
      provenBy: try container.decodeIfPresent(RestartProof.self, forKey: .provenBy),
      oldPid: try container.decodeNullable(Int32.self, forKey: .oldPid),
      oldExitedAfterMs: try container.decodeNullable(Milliseconds.self, forKey: .oldExitedAfterMs)?.value,
      oldExitCode: try container.decodeNullable(Int32.self, forKey: .oldExitCode))
  }
}

extension RehearsalReport.Stop: Codable {
  private enum CodingKeys: String, CodingKey {
    case index, requestedAtMs, outcome, pid, endedAfterMs, exitCode, commandCode, turnedAway, firstTurnedAwayAfterMs
    case servingAfterMs
  }

  /// Writes every key, with `null` for what is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(index, forKey: .index)
    try container.encode(Milliseconds(requestedAtMs), forKey: .requestedAtMs)
    try container.encode(outcome, forKey: .outcome)
    try container.encode(pid, forKey: .pid)
    try container.encodeNullable(endedAfterMs.map(Milliseconds.init), forKey: .endedAfterMs)
    try container.encodeNullable(exitCode, forKey: .exitCode)
    try container.encodeNullable(commandCode, forKey: .commandCode)
    try container.encode(turnedAway, forKey: .turnedAway)
    try container.encodeNullable(firstTurnedAwayAfterMs.map(Milliseconds.init), forKey: .firstTurnedAwayAfterMs)
    try container.encodeNullable(servingAfterMs.map(Milliseconds.init), forKey: .servingAfterMs)
  }

  /// Reads a stop of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      index: try container.decode(Int.self, forKey: .index),
      requestedAtMs: try container.decode(Milliseconds.self, forKey: .requestedAtMs).value,
      outcome: try container.decode(StopOutcome.self, forKey: .outcome),
      pid: try container.decode(Int32.self, forKey: .pid),
      endedAfterMs: try container.decodeNullable(Milliseconds.self, forKey: .endedAfterMs)?.value,
      exitCode: try container.decodeNullable(Int32.self, forKey: .exitCode),
      commandCode: try container.decodeNullable(Int32.self, forKey: .commandCode),
      turnedAway: try container.decode(Count.self, forKey: .turnedAway).number,
      firstTurnedAwayAfterMs: try container.decodeNullable(Milliseconds.self, forKey: .firstTurnedAwayAfterMs)?.value,
      servingAfterMs: try container.decodeNullable(Milliseconds.self, forKey: .servingAfterMs)?.value)
  }
}

extension RehearsalReport.Load: Codable {
  private enum CodingKeys: String, CodingKey {
    case connections, requests, answered, turnedAway, failed, closedByServer, latencyMs
  }

  private enum CloseKeys: String, CodingKey {
    case announced, idle
  }

  private enum LatencyKeys: String, CodingKey {
    case steady, restarting, between
  }

  /// Writes every key, and every kind of failure.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(connections, forKey: .connections)
    try container.encode(requests, forKey: .requests)
    try container.encode(answered, forKey: .answered)
    try container.encode(turnedAway, forKey: .turnedAway)
    var kinds = container.nestedContainer(keyedBy: FailureKind.self, forKey: .failed)
    for kind in FailureKind.allCases { try kinds.encode(failed[kind] ?? 0, forKey: kind) }
    var closes = container.nestedContainer(keyedBy: CloseKeys.self, forKey: .closedByServer)
    try closes.encode(announcedCloses, forKey: .announced)
    try closes.encode(idleCloses, forKey: .idle)
    var latencies = container.nestedContainer(keyedBy: LatencyKeys.self, forKey: .latencyMs)
    try latencies.encode(steady, forKey: .steady)
    try latencies.encode(restarting, forKey: .restarting)
    try latencies.encode(between, forKey: .between)
  }

  /// Reads what the clients of one mode saw.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let kinds = try container.nestedContainer(keyedBy: FailureKind.self, forKey: .failed)
    var failed: [FailureKind: Int] = [:]
    for kind in FailureKind.allCases {
      // Reports from before this kind was told apart have no such key.
      if kind == .bytesBehind, !kinds.contains(kind) { continue }
      let count = try kinds.decode(Count.self, forKey: kind).number
      if count > 0 { failed[kind] = count }
    }
    let closes = try container.nestedContainer(keyedBy: CloseKeys.self, forKey: .closedByServer)
    let latencies = try container.nestedContainer(keyedBy: LatencyKeys.self, forKey: .latencyMs)
    self.init(
      connections: try container.decode(Count.self, forKey: .connections).number,
      requests: try container.decode(Count.self, forKey: .requests).number,
      answered: try container.decode(Count.self, forKey: .answered).number, failed: failed,
      turnedAway: try container.decode(Count.self, forKey: .turnedAway).number,
      announcedCloses: try closes.decode(Count.self, forKey: .announced).number,
      idleCloses: try closes.decode(Count.self, forKey: .idle).number,
      steady: try latencies.decode(LatencySummary.self, forKey: .steady),
      restarting: try latencies.decode(LatencySummary.self, forKey: .restarting),
      between: try latencies.decode(LatencySummary.self, forKey: .between))
  }
}

extension FailureKind: CodingKey {}

extension LatencySummary: Codable {
  private enum CodingKeys: String, CodingKey {
    case p50, p99, p999, max
  }

  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Milliseconds(p50), forKey: .p50)
    try container.encode(Milliseconds(p99), forKey: .p99)
    try container.encode(Milliseconds(p999), forKey: .p999)
    try container.encode(Milliseconds(max), forKey: .max)
  }

  /// Reads the latencies of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      p50: try container.decode(Double.self, forKey: .p50), p99: try container.decode(Double.self, forKey: .p99),
      p999: try container.decode(Double.self, forKey: .p999), max: try container.decode(Double.self, forKey: .max))
  }
}
