internal import GracefulJSON

/// As `schemas/lifecycle-report-1.json` describes it: the keys stay, whatever the properties are called.
extension LifecycleReport: Codable {
  private enum CodingKeys: String, CodingKey {
    case schema, lifecycle, pid, startedAt, stopRequestedAt, endedAt, request, mistakes, phases, stragglers, ran, took
    case grace, graceFrom, lameDuck, endedBySignal, exitCode, childrenOpened, ignored
  }

  private static var schema: Int { 1 }

  /// Writes every key, with `null` for what is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.schema, forKey: .schema)
    try container.encode(lifecycle, forKey: .lifecycle)
    try container.encodeNullable(pid, forKey: .pid)
    try container.encodeNullable(startedAt, forKey: .startedAt)
    try container.encodeNullable(stopRequestedAt, forKey: .stopRequestedAt)
    try container.encodeNullable(endedAt, forKey: .endedAt)
    try container.encodeNullable(request, forKey: .request)
    try container.encode(mistakes, forKey: .mistakes)
    try container.encode(phases, forKey: .phases)
    try container.encode(stragglers, forKey: .stragglers)
    try container.encode(Elapsed(ran), forKey: .ran)
    try container.encode(Elapsed(took), forKey: .took)
    try container.encode(Seconds(grace), forKey: .grace)
    try container.encode(graceOrigin.kind, forKey: .graceFrom)
    try container.encodeNullable(lameDuck, forKey: .lameDuck)
    try container.encodeNullable(endedBySignal, forKey: .endedBySignal)
    try container.encode(exitCode, forKey: .exitCode)
    try container.encode(childrenOpened, forKey: .childrenOpened)
    try container.encode(ignored, forKey: .ignored)
  }

  /// Reads a report of schema 1; what follows from the rest (the exit code, when the stop was requested) is not read.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try SchemaVersion.check(is: Self.schema, in: container, forKey: .schema)
    self.init(
      lifecycle: try container.decode(String.self, forKey: .lifecycle),
      request: try container.decodeNullable(StopRequest.self, forKey: .request),
      mistakes: try container.decode([ConfigurationMistake].self, forKey: .mistakes),
      phases: try container.decode([PhaseReport].self, forKey: .phases),
      stragglers: try container.decode([Straggler].self, forKey: .stragglers),
      ran: try container.decode(Elapsed.self, forKey: .ran).duration,
      took: try container.decode(Elapsed.self, forKey: .took).duration,
      grace: try container.decode(Seconds.self, forKey: .grace).duration,
      graceOrigin: GraceOrigin(kind: try container.decode(GraceOrigin.Kind.self, forKey: .graceFrom)),
      endedBySignal: try container.decodeNullable(Int32.self, forKey: .endedBySignal),
      childrenOpened: try container.decode(Count.self, forKey: .childrenOpened).number,
      ignored: try container.decode([String].self, forKey: .ignored))
    // Left out by versions that had none.
    lameDuck = try container.decodeIfPresent(LameDuck.Report.self, forKey: .lameDuck)
    pid = try container.decodeNullable(Int32.self, forKey: .pid)
    startedAt = try container.decodeNullable(UTCTime.self, forKey: .startedAt)
    endedAt = try container.decodeNullable(UTCTime.self, forKey: .endedAt)
  }
}

/// As its ``description``, and in no other of the ways in which RFC 3339 can say it.
extension UTCTime: Codable {
  /// Writes the ``description``.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  /// Reads the ``description``.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let time = UTCTime(try container.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "no time such as 2026-11-21T06:46:33.123Z")
    }
    self = time
  }
}

extension Straggler: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind, name, phase, age
  }

  private enum KindWord: String, Codable {
    case phase, session
  }

  /// Writes every key; the age of a phase is `null`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind.description, forKey: .kind)
    try container.encode(name, forKey: .name)
    try container.encode(phase, forKey: .phase)
    try container.encodeNullable(age.map(Elapsed.init), forKey: .age)
  }

  /// Reads a straggler of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let name = try container.decode(String.self, forKey: .name)
    let phase = try container.decode(String.self, forKey: .phase)
    switch try container.decode(KindWord.self, forKey: .kind) {
    case .phase:
      _ = try container.decodeNullable(Elapsed.self, forKey: .age)
      self.init(phase: phase)
      self.name = name
    case .session:
      let age = try container.decode(Elapsed.self, forKey: .age).duration
      self.init(session: name, in: phase, age: age)
    }
  }
}
