internal import GracefulJSON

/// As `schemas/lifecycle-plan-1.json` describes it: the keys stay, whatever the properties are called.
extension StopPlan: Codable {
  private enum CodingKeys: String, CodingKey {
    case schema, lifecycle, mistakes, grace, graceFrom, lameDuck, platform, phases, startWaves, stopWaves, worstCase
    case criticalPath, slowest, startWorstCase, fits, graceNeeded, tightNested, unlimited, shortenings, exitCode
  }

  private enum PlatformKeys: String, CodingKey {
    case grace, source, killsEarly
  }

  private static var schema: Int { 1 }

  /// Writes every key, with `null` for what is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.schema, forKey: .schema)
    try container.encode(lifecycle, forKey: .lifecycle)
    try container.encode(mistakes, forKey: .mistakes)
    try container.encode(Seconds(grace), forKey: .grace)
    try container.encode(graceOrigin.kind, forKey: .graceFrom)
    try container.encodeNullable(lameDuck, forKey: .lameDuck)
    if let platform {
      var nested = container.nestedContainer(keyedBy: PlatformKeys.self, forKey: .platform)
      try nested.encode(Seconds(platform.duration), forKey: .grace)
      try nested.encode(platform.source.kind, forKey: .source)
      try nested.encode(isKilledEarly, forKey: .killsEarly)
    } else {
      try container.encodeNil(forKey: .platform)
    }
    try container.encode(phases, forKey: .phases)
    try container.encode(startWaves, forKey: .startWaves)
    try container.encode(stopWaves, forKey: .stopWaves)
    try container.encodeNullable(worstCase.map(Seconds.init), forKey: .worstCase)
    try container.encode(criticalPath, forKey: .criticalPath)
    try container.encodeNullable(slowest, forKey: .slowest)
    try container.encodeNullable(startWorstCase.map(Seconds.init), forKey: .startWorstCase)
    try container.encode(fits, forKey: .fits)
    try container.encodeNullable(graceNeeded.map(Seconds.init), forKey: .graceNeeded)
    try container.encode(tightNested, forKey: .tightNested)
    try container.encode(unlimited, forKey: .unlimited)
    try container.encode(shortenings, forKey: .shortenings)
    try container.encode(exitCode, forKey: .exitCode)
  }

  /// Reads what a plan of schema 1 was made of: the grace, the phases, their limits and what they require.
  ///
  /// The times are reckoned anew from that, so they are always those of this version.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try SchemaVersion.check(is: Self.schema, in: container, forKey: .schema)
    let lifecycle = try container.decode(String.self, forKey: .lifecycle)
    let mistakes = try container.decode([ConfigurationMistake].self, forKey: .mistakes)
    let grace = GraceSetting(
      try container.decode(Seconds.self, forKey: .grace).duration.bounded,
      from: GraceOrigin(kind: try container.decode(GraceOrigin.Kind.self, forKey: .graceFrom)))
    // Left out by versions that had none.
    let lameDuck = try container.decodeIfPresent(LameDuck.Setting.self, forKey: .lameDuck)
    let graph = PhaseGraph(try container.decode([PhaseGraph.Declaration].self, forKey: .phases))
    var platform: PlatformGrace?
    if try !container.decodeNil(forKey: .platform) {
      let nested = try container.nestedContainer(keyedBy: PlatformKeys.self, forKey: .platform)
      platform = PlatformGrace(
        try nested.decode(Seconds.self, forKey: .grace).duration.bounded,
        PlatformGrace.Source(kind: try nested.decode(PlatformGrace.Source.Kind.self, forKey: .source)))
    }
    // What follows from the graph is found again.
    let known = StopPlan(lifecycle, grace: grace, graph: graph).mistakes
    self.init(
      lifecycle, grace: grace, lameDuck: lameDuck, platform: platform, graph: graph,
      mistakes: mistakes.filter { !known.contains($0) })
  }

  /// Whether a document is a plan, and not a report: it has the key that only a plan has.
  package struct Mark: Decodable {
    package init(from decoder: any Decoder) throws {
      _ = try decoder.container(keyedBy: CodingKeys.self).decode([[String]].self, forKey: .stopWaves)
    }
  }
}

extension StopPlan.Shortening: Encodable {
  private enum CodingKeys: String, CodingKey {
    case phase, from, to
  }

  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(phase, forKey: .phase)
    try container.encode(Seconds(from), forKey: .from)
    try container.encode(Seconds(to), forKey: .to)
  }
}
