/// What a lifecycle will do, before it does it: the order, the limits, and how long a stop may take (S11).
///
/// ```swift
/// let plan = shop.plan()
/// print(plan.text)
/// #expect(plan.fits)          // in a test of your own: no phase can take another one's time
/// ```
///
/// The worst case is a stop in which no phase does what it is told: every phase uses up its whole limit, still has a session
/// or a child phase inside it then, and ignores its cancellation, too. No stop takes longer, with one exception, of which
/// nothing is known before the run: child phases that are opened inside each other, level below level, add up to half a
/// cancel limit (1 s) to their phase. Nothing makes it longer than the grace.
public struct StopPlan: Hashable, Sendable {
  /// The name of the lifecycle.
  public var lifecycle: String
  /// What is wrong with the configuration, except triggers that cannot listen: none of them is asked to.
  ///
  /// When it is not empty, nothing can be started, and there are neither waves nor times.
  public var mistakes: [ConfigurationMistake]
  /// From the first request to stop to the exit of the process.
  public var grace: Duration
  /// Where the grace comes from.
  public var graceOrigin: GraceOrigin
  /// The lame-duck time with which a stop begins when it is asked for from outside; the worst case has it in full length.
  ///
  /// `nil` when there is none.
  public var lameDuck: LameDuck.Plan?
  /// When the platform kills the process, as far as that is known.
  public var platform: PlatformGrace?
  /// Every phase, in the order in which they were declared.
  public var phases: [PhasePlan]
  /// The names of the phases by wave: those of a wave start when what they require, in the waves before, is ready.
  public var startWaves: [[String]] = []
  /// The names of the phases by wave: those of a wave drain when those that require them, in the waves before, have ended.
  public var stopWaves: [[String]] = []
  /// How long a stop takes at most, from the request to the end of the last phase.
  ///
  /// What follows (the last of the log, the report, the exit) has a second of the grace for itself; under 4 s of grace, a
  /// quarter. `nil` when the configuration is wrong.
  public var worstCase: Duration?
  /// The phases that make the worst case as long as it is, in the order in which they drain.
  public var criticalPath: [String] = []
  /// How long the start takes at most, when every phase is ready only as its start limit is over.
  ///
  /// `nil` when there is a phase without a start limit, which may take for ever, or the configuration is wrong.
  public var startWorstCase: Duration?
  /// The grace with which every phase would have its whole limit, also in the worst case, rounded up.
  ///
  /// Phases without a limit count for a millisecond: see ``unlimited``. `nil` when the configuration is wrong.
  public var graceNeeded: Duration?
  /// Phases without a limit of their own although others wait for their end, by name.
  ///
  /// Each may take all the time that there is, and leave none to those.
  public var unlimited: [String] = []
  /// Phases that hold a lifecycle whose own grace is too short for the limits in it, by name.
  public var tightNested: [String] = []
  /// Which limits to shorten, so that every phase has its whole limit also in the worst case.
  ///
  /// The longest ones on the longest way down. Empty when nothing has to be shortened, or shortening does not help: then
  /// only ``graceNeeded`` does.
  public var shortenings: [Shortening] = []

  /// One limit to shorten.
  public struct Shortening: Hashable, Sendable {
    /// The name of the phase.
    public var phase: String
    /// Its limit as it is.
    public var from: Duration
    /// Its limit as it should be, at most.
    public var to: Duration

    package init(phase: String, from: Duration, to: Duration) {
      self.phase = phase
      self.from = from
      self.to = to
    }
  }

  /// Whether every phase has its whole limit, also in the worst case; and one without a limit, any time at all.
  ///
  /// When it does not fit, the stop still ends in time: phases at its end are cancelled and abandoned before they have had
  /// their limit.
  public var fits: Bool { mistakes.isEmpty && phases.allSatisfy { !$0.isShort } }

  /// Whether the platform kills the process before the grace is over.
  public var isKilledEarly: Bool { platform.map { $0.duration < grace } ?? false }

  /// The phase that takes longest of those that make the worst case as long as it is; the first of several.
  public var slowest: String? {
    let critical = Set(criticalPath)
    let onPath = phases.filter { critical.contains($0.name) }
    let longest = onPath.compactMap(\.takes).max()
    return onPath.first { $0.takes == longest }?.name
  }

  /// What a program that prints its plan exits with: 0, or 78 when the configuration is wrong (`EX_CONFIG`, sysexits(3)).
  public var exitCode: Int32 { mistakes.isEmpty ? 0 : 78 }

  package init(
    _ lifecycle: String, grace: GraceSetting, lameDuck: LameDuck.Setting? = nil, platform: PlatformGrace? = nil,
    graph: PhaseGraph, mistakes further: [ConfigurationMistake] = []
  ) {
    self.lifecycle = lifecycle
    self.grace = grace.duration
    graceOrigin = grace.origin
    self.lameDuck = lameDuck.flatMap { LameDuck.Plan($0, grace: grace.duration) }
    self.platform = platform
    mistakes = graph.mistakes + further
    if self.grace <= .zero { mistakes.append(ConfigurationMistake(kind: .graceNotPositive(self.grace))) }
    phases = graph.nodes.map(PhasePlan.init)
    for id in phases.indices {
      phases[id].requires = graph.nodes[id].requires.map { graph.nodes[$0].name }
      phases[id].within = graph.nodes[id].within.map { graph.nodes[$0].name }
    }
    // Without an order there is nothing to reckon with.
    guard mistakes.isEmpty else { return }
    layOut(graph)
  }

  private mutating func layOut(_ graph: PhaseGraph) {
    let worst = WorstStop(of: graph, grace: grace, lameDuck: lameDuck?.limit ?? .zero)
    let short = ShortLimits(of: graph, grace: grace, lameDuck: lameDuck?.asked ?? .zero)
    for id in phases.indices {
      phases[id].startWave = graph.nodes[id].depth
      phases[id].stopWave = worst.wave[id]
      phases[id].drainsAfter = worst.drainsAfter[id]
      phases[id].drainsFor = worst.drainsFor[id]
      phases[id].endsAfter = worst.endsAfter[id]
    }
    startWaves = Self.waves(phases, by: \.startWave)
    stopWaves = Self.waves(phases, by: \.stopWave)
    worstCase = worst.total
    criticalPath = worst.criticalPath.map { graph.nodes[$0].name }
    startWorstCase = WorstStart(of: graph).total
    unlimited = short.unlimited.map { graph.nodes[$0].name }
    graceNeeded = short.graceNeeded
    tightNested = short.tightNested.map { graph.nodes[$0].name }
    shortenings = short.shortenings.map { id, limit in
      Shortening(phase: graph.nodes[id].name, from: graph.nodes[id].limit ?? limit, to: limit)
    }
  }

  private static func waves(_ phases: [PhasePlan], by wave: (PhasePlan) -> Int?) -> [[String]] {
    var waves: [[String]] = []
    for phase in phases {
      guard let number = wave(phase) else { continue }
      while waves.count < number { waves.append([]) }
      waves[number - 1].append(phase.name)
    }
    return waves
  }
}
