public import GracefulShutdown

extension StopPlan {
  /// The plan as JSON: `schemas/lifecycle-plan-1.json` of this package describes it.
  ///
  /// Pretty, with sorted keys and a line break at its end, so that the same plan is always the same text: it can be kept in
  /// a repository, and a change of it seen in a review. Times are numbers of seconds, and what is not known is `null`.
  public func json() -> String { JSONText.text(of: PlanDocument(self)) }
}

/// The plan in JSON.
struct PlanDocument: Encodable {
  static let schema = 1

  var schema = Self.schema
  var lifecycle: String
  var mistakes: [MistakeDocument]
  var grace: JSONSeconds
  var graceFrom: GraceOrigin.Kind
  var lameDuck: JSONNullable<LameDuckTime>
  var platform: JSONNullable<Platform>
  var phases: [Phase]
  var startWaves: [[String]]
  var stopWaves: [[String]]
  var worstCase: JSONNullable<JSONSeconds>
  var criticalPath: [String]
  var slowest: JSONNullable<String>
  var startWorstCase: JSONNullable<JSONSeconds>
  var fits: Bool
  var graceNeeded: JSONNullable<JSONSeconds>
  var tightNested: [String]
  var unlimited: [String]
  var shortenings: [Shortening]
  var exitCode: Int32

  struct Platform: Codable {
    var grace: JSONSeconds
    var source: String
    var killsEarly: Bool
  }

  struct LameDuckTime: Codable {
    var limit: JSONSeconds
    var minimum: JSONSeconds
    var quiet: JSONSeconds
    var asked: JSONSeconds
    var from: LameDuck.Origin.Kind
  }

  struct Phase: Encodable {
    var name: String
    var requires: [String]
    var startLimit: JSONNullable<JSONSeconds>
    var limit: JSONNullable<JSONSeconds>
    var within: JSONNullable<String>
    var nestedGrace: JSONNullable<JSONSeconds>
    var startWave: JSONNullable<Int>
    var stopWave: JSONNullable<Int>
    var drainsAfter: JSONNullable<JSONSeconds>
    var drainsFor: JSONNullable<JSONSeconds>
    var endsAfter: JSONNullable<JSONSeconds>
  }

  struct Shortening: Encodable {
    var phase: String
    var from: JSONSeconds
    var to: JSONSeconds
  }

  init(_ plan: StopPlan) {
    lifecycle = plan.lifecycle
    mistakes = plan.mistakes.map(MistakeDocument.init)
    grace = JSONSeconds(plan.grace)
    graceFrom = plan.graceOrigin.kind
    lameDuck = JSONNullable(
      plan.lameDuck.map {
        LameDuckTime(
          limit: JSONSeconds($0.limit), minimum: JSONSeconds($0.minimum), quiet: JSONSeconds($0.quiet),
          asked: JSONSeconds($0.asked), from: $0.origin.kind)
      })
    platform = JSONNullable(
      plan.platform.map {
        Platform(grace: JSONSeconds($0.duration), source: $0.source.kind.rawValue, killsEarly: plan.isKilledEarly)
      })
    phases = plan.phases.map(Phase.init)
    startWaves = plan.startWaves
    stopWaves = plan.stopWaves
    worstCase = JSONNullable(plan.worstCase.map(JSONSeconds.init))
    criticalPath = plan.criticalPath
    slowest = JSONNullable(plan.slowest)
    startWorstCase = JSONNullable(plan.startWorstCase.map(JSONSeconds.init))
    fits = plan.fits
    graceNeeded = JSONNullable(plan.graceNeeded.map(JSONSeconds.init))
    tightNested = plan.tightNested
    unlimited = plan.unlimited
    shortenings = plan.shortenings.map {
      Shortening(phase: $0.phase, from: JSONSeconds($0.from), to: JSONSeconds($0.to))
    }
    exitCode = plan.exitCode
  }
}

extension PlanDocument.Phase {
  fileprivate init(_ phase: PhasePlan) {
    name = phase.name
    requires = phase.requires
    startLimit = JSONNullable(phase.startLimit.map(JSONSeconds.init))
    limit = JSONNullable(phase.limit.map(JSONSeconds.init))
    within = JSONNullable(phase.within)
    nestedGrace = JSONNullable(phase.nestedGrace.map(JSONSeconds.init))
    startWave = JSONNullable(phase.startWave)
    stopWave = JSONNullable(phase.stopWave)
    drainsAfter = JSONNullable(phase.drainsAfter.map(JSONSeconds.init))
    drainsFor = JSONNullable(phase.drainsFor.map(JSONSeconds.init))
    endsAfter = JSONNullable(phase.endsAfter.map(JSONSeconds.init))
  }
}
