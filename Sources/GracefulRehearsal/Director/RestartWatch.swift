internal import GracefulProcesses

/// Looks at the server during one restart, and says from which process it was answered.
struct RestartWatch {
  /// How often it looks.
  static let interval = Duration.milliseconds(50)

  let witness: RestartWitness
  private let settings: LoadSettings
  /// The table of processes before the next connection is made.
  private var known: [ProcessEntry]

  /// Begins before the restart is asked for: looks who answers now, and which processes there are.
  ///
  /// - Parameter looks: Whether it has to look who answers: a demo says it.
  static func begin(_ settings: LoadSettings, looks: Bool) async -> RestartWatch {
    let sight = looks ? await Self.look(settings) : nil
    let table = ProcessTable.all()
    guard case .answer(let answer, _, let holders) = sight else {
      return RestartWatch(RestartWitness(before: table), settings, table)
    }
    let witness = RestartWitness(before: table, answering: holders, generation: answer.word.generation)
    return RestartWatch(witness, settings, table)
  }

  private init(
    _ witness: RestartWitness, _ settings: LoadSettings, _ known: [ProcessEntry]
  ) {
    self.witness = witness
    self.settings = settings
    self.known = known
  }

  /// Asks the server once.
  ///
  /// - Returns: What came of it, for the restart's machine.
  mutating func look() async -> RestartStateMachine.Event {
    let sight = await Self.look(settings)
    let table = ProcessTable.all()
    defer { known = table }
    guard case .answer(let answer, _, let holders) = sight, answer.isGood else { return .silent }
    let source = witness.source(word: answer.word, holders: holders, known: known, table: table)
    return .answered(source, newest: ServerProcesses.top(since: witness.before, in: table)?.rawValue)
  }

  private static func look(_ settings: LoadSettings) async -> Probe.Sight {
    await Probe(settings).look(id: "probe-restart") { end in
      // Those below us first: they are few, and to look at the descriptors of all is dear.
      let all = ProcessTable.all()
      let below = ProcessTable.descendants(of: .current, among: all)
      let found = end.holders(among: below)
      if !found.isEmpty { return found }
      let ours = Set(below.map(\.id)).union([.current])
      return end.holders(among: all.filter { !ours.contains($0.id) })
    }
  }
}
