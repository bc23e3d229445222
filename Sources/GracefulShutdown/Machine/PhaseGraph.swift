/// Which phase requires which, checked: either there are mistakes, or it is a graph without cycles.
package struct PhaseGraph: Hashable, Sendable {
  /// A phase as its user declared it.
  package struct Declaration: Hashable, Sendable {
    package var name: String
    package var requires: [String]
    package var startLimit: Duration?
    package var limit: Duration?
    /// The phase that holds the lifecycle that this one is part of.
    package var within: String?
    /// Of a phase that holds a lifecycle: how long that may take to stop.
    package var nestedGrace: Duration?
    package var restart: RestartPolicy

    package init(
      _ name: String, requires: [String] = [], startLimit: Duration? = nil, limit: Duration? = nil,
      restart: RestartPolicy = .never
    ) {
      self.restart = restart
      self.name = name
      self.requires = requires
      self.startLimit = startLimit
      self.limit = limit
    }
  }

  package struct Node: Hashable, Sendable {
    package let name: String
    package let startLimit: Duration?
    package let limit: Duration?
    /// The phase that holds the lifecycle that this one is part of.
    package fileprivate(set) var within: Int?
    /// The phases of the lifecycle that it holds, with those of the lifecycles that these hold.
    package fileprivate(set) var members: [Int] = []
    package let restart: RestartPolicy
    /// It holds a lifecycle, and this is how long that may take to stop.
    package let nestedGrace: Duration?
    /// What must be ready before this one starts.
    package fileprivate(set) var requires: [Int] = []
    /// What must have ended before this one is told to drain.
    package fileprivate(set) var requiredBy: [Int] = []
    /// How many phases the longest chain of requirements has that begins here, this one included.
    package fileprivate(set) var depth = 1
    /// Its place in ``PhaseGraph/downwards``.
    package fileprivate(set) var rank = 0
  }

  package private(set) var nodes: [Node]
  package private(set) var mistakes: [ConfigurationMistake]
  /// Dependents before what they require: the order of every way down.
  package private(set) var downwards: [Int] = []

  package init(_ declarations: [Declaration], mistakes: [ConfigurationMistake] = []) {
    self.mistakes = mistakes
    nodes = declarations.map {
      Node(name: $0.name, startLimit: $0.startLimit, limit: $0.limit, restart: $0.restart, nestedGrace: $0.nestedGrace)
    }
    connect(declarations)
    orderUpwards()
  }

  private mutating func connect(_ declarations: [Declaration]) {
    var ids: [String: Int] = [:]
    for (id, declaration) in declarations.enumerated() {
      if ids[declaration.name] == nil {
        ids[declaration.name] = id
      } else {
        mistakes.append(ConfigurationMistake(kind: .duplicateName(declaration.name)))
      }
      if declaration.name.isEmpty { mistakes.append(ConfigurationMistake(kind: .emptyName)) }
      if let limit = declaration.limit, limit <= .zero {
        mistakes.append(ConfigurationMistake(kind: .limitNotPositive(phase: declaration.name, limit)))
      }
      if declaration.limit == nil, let grace = declaration.nestedGrace, grace <= .zero {
        mistakes.append(ConfigurationMistake(kind: .limitNotPositive(phase: declaration.name, grace)))
      }
      if let limit = declaration.startLimit, limit <= .zero {
        mistakes.append(ConfigurationMistake(kind: .startLimitNotPositive(phase: declaration.name, limit)))
      }
    }
    for (id, declaration) in declarations.enumerated() { nodes[id].within = declaration.within.flatMap { ids[$0] } }
    for id in nodes.indices {
      var holder = nodes[id].within
      // As often as there are phases: a phase that was read from a file may be within itself.
      for _ in nodes.indices {
        guard let next = holder else { break }
        nodes[next].members.append(id)
        holder = nodes[next].within
      }
    }
    for (id, declaration) in declarations.enumerated() {
      var seen: Set<String> = []
      // Required twice is required once.
      for name in declaration.requires where seen.insert(name).inserted {
        guard let requirement = ids[name] else {
          mistakes.append(ConfigurationMistake(kind: .unknownRequirement(phase: declaration.name, requires: name)))
          continue
        }
        nodes[id].requires.append(requirement)
        nodes[requirement].requiredBy.append(id)
      }
    }
  }

  /// Kahn's order, without recursion: a chain of ten thousand phases must not need ten thousand stack frames.
  private mutating func orderUpwards() {
    var missing = nodes.map(\.requires.count)
    var order = nodes.indices.filter { missing[$0] == 0 }
    var next = 0
    while next < order.count {
      let id = order[next]
      next += 1
      for dependent in nodes[id].requiredBy {
        nodes[dependent].depth = max(nodes[dependent].depth, nodes[id].depth + 1)
        missing[dependent] -= 1
        if missing[dependent] == 0 { order.append(dependent) }
      }
    }
    downwards = order.reversed()
    for (rank, id) in downwards.enumerated() { nodes[id].rank = rank }
    if order.count < nodes.count { mistakes.append(ConfigurationMistake(kind: .cycle(findCycle(missing)))) }
  }

  /// What is left over by Kahn's order still misses a requirement that is left over too; following these leads round.
  private func findCycle(_ missing: [Int]) -> [String] {
    guard let start = nodes.indices.first(where: { missing[$0] > 0 }) else { return [] }
    var path: [Int] = []
    var place: [Int: Int] = [:]
    var id = start
    while place[id] == nil {
      place[id] = path.count
      path.append(id)
      guard let onward = nodes[id].requires.first(where: { missing[$0] > 0 }) else {
        return path.map { nodes[$0].name }
      }
      id = onward
    }
    return (path[(place[id] ?? 0)...] + [id]).map { nodes[$0].name }
  }
}
