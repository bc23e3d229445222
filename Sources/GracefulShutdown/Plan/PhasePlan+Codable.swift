internal import GracefulJSON

// A plan is written with its times, and read as what it was made of.

private enum PhaseKeys: String, CodingKey {
  case name, requires, startLimit, limit, within, nestedGrace, startWave, stopWave, drainsAfter, drainsFor, endsAfter
}

extension PhasePlan: Encodable {
  /// Writes every key, with `null` for what is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: PhaseKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(requires, forKey: .requires)
    try container.encodeNullable(startLimit.map(Seconds.init), forKey: .startLimit)
    try container.encodeNullable(limit.map(Seconds.init), forKey: .limit)
    try container.encodeNullable(within, forKey: .within)
    try container.encodeNullable(nestedGrace.map(Seconds.init), forKey: .nestedGrace)
    try container.encodeNullable(startWave, forKey: .startWave)
    try container.encodeNullable(stopWave, forKey: .stopWave)
    try container.encodeNullable(drainsAfter.map(Seconds.init), forKey: .drainsAfter)
    try container.encodeNullable(drainsFor.map(Seconds.init), forKey: .drainsFor)
    try container.encodeNullable(endsAfter.map(Seconds.init), forKey: .endsAfter)
  }
}

extension PhaseGraph.Declaration: Decodable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: PhaseKeys.self)
    func duration(_ key: PhaseKeys) throws -> Duration? {
      try container.decodeNullable(Seconds.self, forKey: key)?.duration.bounded
    }
    self.init(
      try container.decode(String.self, forKey: .name),
      requires: try container.decode([String].self, forKey: .requires),
      startLimit: try duration(.startLimit), limit: try duration(.limit))
    within = try container.decodeNullable(String.self, forKey: .within)
    nestedGrace = try duration(.nestedGrace)
  }
}

private enum LameDuckKeys: String, CodingKey {
  case limit, minimum, quiet, asked, from
}

extension LameDuck.Plan: Encodable {
  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: LameDuckKeys.self)
    try container.encode(Seconds(limit), forKey: .limit)
    try container.encode(Seconds(minimum), forKey: .minimum)
    try container.encode(Seconds(quiet), forKey: .quiet)
    try container.encode(Seconds(asked), forKey: .asked)
    try container.encode(origin.kind, forKey: .from)
  }
}

extension LameDuck.Setting: Decodable {
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: LameDuckKeys.self)
    let timing = LameDuck.Timing(
      limit: try container.decode(Seconds.self, forKey: .asked).duration,
      minimum: try container.decode(Seconds.self, forKey: .minimum).duration,
      quiet: try container.decode(Seconds.self, forKey: .quiet).duration)
    self.init(timing, from: LameDuck.Origin(kind: try container.decode(LameDuck.Origin.Kind.self, forKey: .from)))
  }
}
