public import GracefulShutdown

extension StopPlan {
  /// Reads a plan that ``json()`` has written.
  ///
  /// What is read is what it was made of: the grace, the phases, their limits and what they require. The times are
  /// reckoned anew from that, so they are always those of this version.
  /// - Throws: When the text is no JSON, has another schema, lacks a key, or has a value that its key cannot have.
  public init(json: String) throws(ReportFormatError) {
    let schema = try JSONText.decode(SchemaDocument.self, from: json).schema.number
    guard schema == PlanDocument.schema else {
      throw ReportFormatError(.otherSchema, at: "schema", "its schema is \(schema)")
    }
    self = try JSONText.decode(PlanSource.self, from: json).plan()
  }

  /// Whether a text is meant to be a plan, and not a report.
  package static func isMeant(by json: String) -> Bool { (try? JSONText.decode(PlanMark.self, from: json)) != nil }
}

/// The key that only a plan has.
private struct PlanMark: Decodable {
  var stopWaves: [[String]]
}

/// What a plan is made of, in its JSON.
private struct PlanSource: Decodable {
  var lifecycle: String
  var mistakes: [MistakeDocument]
  var grace: JSONSeconds
  var graceFrom: GraceOrigin.Kind
  /// Left out by versions that had none.
  var lameDuck: JSONNullable<LameDuckTime>?
  var platform: JSONNullable<Platform>
  var phases: [Phase]

  struct Platform: Codable {
    var grace: JSONSeconds
    var source: PlatformGrace.Source.Kind
  }

  struct LameDuckTime: Codable {
    var minimum: JSONSeconds
    var quiet: JSONSeconds
    var asked: JSONSeconds
    var from: LameDuck.Origin.Kind

    var setting: LameDuck.Setting {
      let time = LameDuck.Timing(limit: asked.duration, minimum: minimum.duration, quiet: quiet.duration)
      return LameDuck.Setting(time, from: LameDuck.Origin(kind: from))
    }
  }

  struct Phase: Decodable {
    var name: String
    var requires: [String]
    var startLimit: JSONNullable<JSONSeconds>
    var limit: JSONNullable<JSONSeconds>
    var within: JSONNullable<String>
    var nestedGrace: JSONNullable<JSONSeconds>
  }

  func plan() throws(ReportFormatError) -> StopPlan {
    var mistakes: [ConfigurationMistake] = []
    for (index, mistake) in self.mistakes.enumerated() { mistakes.append(try mistake.value(at: "mistakes[\(index)]")) }
    let graph = PhaseGraph(
      phases.map { phase in
        var declaration = PhaseGraph.Declaration(
          phase.name, requires: phase.requires, startLimit: phase.startLimit.value?.duration.bounded,
          limit: phase.limit.value?.duration.bounded)
        declaration.within = phase.within.value
        declaration.nestedGrace = phase.nestedGrace.value?.duration.bounded
        return declaration
      })
    let grace = GraceSetting(grace.duration.bounded, from: GraceOrigin(kind: graceFrom))
    let platform = platform.value.map { PlatformGrace($0.grace.duration.bounded, .init(kind: $0.source)) }
    // What follows from the graph is found again.
    let known = StopPlan(lifecycle, grace: grace, graph: graph).mistakes
    let further = mistakes.filter { !known.contains($0) }
    return StopPlan(
      lifecycle, grace: grace, lameDuck: lameDuck?.value?.setting, platform: platform, graph: graph, mistakes: further)
  }
}
