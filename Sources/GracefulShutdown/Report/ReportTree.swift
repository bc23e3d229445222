/// In which order the phases of a report are shown, and how far to the right.
///
/// From top to bottom is the way down: what requires a phase stands above it, so it stands below the last of those that
/// do. The child phases of a phase stand directly under it.
package struct ReportTree: Sendable {
  package struct Row: Hashable, Sendable {
    /// Of the phase, in the report.
    package let phase: Int
    /// How many stand above it, up to a phase that no other requires.
    package let level: Int
    /// Under which it stands.
    package let owner: Int?
    /// Whether it stands there because it was opened in it, not because it is required by it.
    package let isChild: Bool
    /// The phases that require it beside the phase that it stands under.
    package fileprivate(set) var others: [Int] = []
  }

  package private(set) var rows: [Row] = []

  private var requirements: [[Int]]
  private var children: [[Int]]
  private var dependents: [[Int]]
  /// Of those that require it, how many have not been shown.
  private var missing: [Int]
  private var isShown: [Bool]

  package init(_ phases: [PhaseReport]) {
    requirements = Array(repeating: [], count: phases.count)
    children = requirements
    dependents = requirements
    missing = Array(repeating: 0, count: phases.count)
    isShown = Array(repeating: false, count: phases.count)
    let roots = connect(phases)
    for root in roots where missing[root] == 0 { show(root) }
    // A report of a wrong configuration has circles; a report that was read from a file may have anything.
    for rest in phases.indices { show(rest) }
  }

  /// - Returns: Those that are no child phase of another one.
  private mutating func connect(_ phases: [PhaseReport]) -> [Int] {
    var ids: [String: Int] = [:]
    for (id, phase) in phases.enumerated() where phase.parent == nil && ids[phase.name] == nil { ids[phase.name] = id }
    for (id, phase) in phases.enumerated() where phase.parent == nil {
      var seen: Set<Int> = [id]
      for name in phase.requires {
        guard let requirement = ids[name], seen.insert(requirement).inserted else { continue }
        requirements[id].append(requirement)
        dependents[requirement].append(id)
        missing[requirement] += 1
      }
    }
    for (id, phase) in phases.enumerated() where phase.parent != nil && ids[phase.name] == nil { ids[phase.name] = id }
    return phases.indices.filter { id in
      guard let parent = phases[id].parent else { return true }
      guard let place = Self.nearest(parent, ids), place != id else { return true }
      children[place].append(id)
      return false
    }
  }

  /// A child that ended in good order is not in the report, but one below it may be: it stands under the next above.
  private static func nearest(_ path: String, _ ids: [String: Int]) -> Int? {
    var path = path[...]
    // A name of ours is made of eight names at most; a file that was read may have anything.
    for _ in 0..<64 {
      if let id = ids[String(path)] { return id }
      guard let slash = path.lastIndex(of: "/") else { return nil }
      path = path[..<slash]
    }
    return nil
  }

  /// Without recursion: a chain of ten thousand phases must not need ten thousand stack frames.
  private mutating func show(_ root: Int) {
    var open = [Row(phase: root, level: 0, owner: nil, isChild: false)]
    while var row = open.popLast() {
      let id = row.phase
      guard !isShown[id] else { continue }
      isShown[id] = true
      row.others = dependents[id].filter { $0 != row.owner }
      rows.append(row)
      // What is put on last, is shown first.
      for requirement in requirements[id].reversed() {
        missing[requirement] -= 1
        guard missing[requirement] == 0 else { continue }
        open.append(Row(phase: requirement, level: row.level + 1, owner: id, isChild: false))
      }
      for child in children[id].reversed() {
        open.append(Row(phase: child, level: row.level + 1, owner: id, isChild: true))
      }
    }
  }
}

extension LifecycleReport {
  /// Its phases as they are shown; when there are more than `most`, those that are not in order are shown first.
  package func rows(most: Int) -> [ReportTree.Row] {
    let rows = ReportTree(phases).rows
    guard rows.count > most else { return rows }
    let loud = rows.filter { phases[$0.phase].isLoud }.prefix(most)
    let quiet = rows.filter { !phases[$0.phase].isLoud }.prefix(most - loud.count)
    let shown = Set((loud + quiet).map(\.phase))
    return rows.filter { shown.contains($0.phase) }
  }

  /// The name of a phase in its row: that of a child phase without its parent's, which stands above it.
  package func name(in row: ReportTree.Row) -> String {
    let name = phases[row.phase].name
    guard row.isChild, let owner = row.owner, name.hasPrefix(phases[owner].name + "/") else { return name }
    return String(name.dropFirst(phases[owner].name.count))
  }
}
