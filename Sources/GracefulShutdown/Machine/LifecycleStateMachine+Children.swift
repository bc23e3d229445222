/// Phases that are opened while the program runs (S12), and how any phase is found.
extension LifecycleStateMachine {
  /// A phase of the graph, or a child.
  ///
  /// A phase that is gone reads as ended, and what is said of it is lost. A record is large, so it is never a local variable
  /// here: each look would allocate it, with the frame of the coroutine (measured: half of what is allocated for a phase).
  subscript(id: Int) -> PhaseRecord {
    // One yield only: with two it is not inlined, and copies the record.
    @inline(__always) _read {
      let isChild = id >= phases.count
      let records = isChild ? children.records : phases
      yield records[isChild ? children.place(of: id) : id]
    }
    _modify {
      if phases.indices.contains(id) {
        yield &phases[id]
      } else {
        yield &children.records[children.placeToChange(id)]
      }
    }
  }

  func isKnown(_ id: Int) -> Bool { phases.indices.contains(id) || children.contains(id) }

  /// A child's name has its parents' before it, at most eight: `web/import`.
  func nameOf(_ id: Int) -> String {
    var path: [String] = []
    var next: Int? = id
    while let id = next, path.count < 8 {
      let child = children.origin(id)?.child
      path.append(child?.name ?? (phases.indices.contains(id) ? graph.nodes[id].name : "phase \(id)"))
      next = child?.parent
    }
    return (next == nil ? "" : "…/") + path.reversed().joined(separator: "/")
  }

  func limitOf(_ id: Int) -> Duration? {
    phases.indices.contains(id) ? graph.nodes[id].limit : children.origin(id)?.child.limit
  }

  /// Those below it, each after its own children.
  ///
  /// Without recursion, as everything here: children may be ten thousand deep, and a thread's stack is small.
  func descendants(of id: Int) -> [Int] {
    guard !self[id].children.isEmpty else { return [] }
    var found: [Int] = []
    var open = self[id].children.sorted()
    while let next = open.popLast() {
      found.append(next)
      open += self[next].children.sorted()
    }
    return found.reversed()
  }

  /// Those below it, each before its own children, and those beside each other in the order in which they were opened.
  ///
  /// They end in the order in which they are told, and most were opened by a task of one group, which finds the ended
  /// child from the oldest on: told the other way round, a hundred thousand took it more than 24 s (measured).
  func below(_ id: Int) -> [Int] {
    guard !self[id].children.isEmpty else { return [] }
    var found: [Int] = []
    var open = self[id].children.sorted(by: >)
    while let next = open.popLast() {
      found.append(next)
      open += self[next].children.sorted(by: >)
    }
    return found
  }

  mutating func open(_ child: Child, at now: Instant) {
    guard !isKnown(child.id) else { return ignore("\(child.name) was opened twice") }
    childrenOpened += 1
    lastChild = max(lastChild, child.id)
    // The gate admitted it, so its end is waited for; unless its parent was given up in the same moment.
    guard self[child.parent].isLive else { return turnAway(child, at: now) }
    let above = children.origin(child.parent)
    children.insert(
      ChildOrigin(child: child, root: above?.root ?? child.parent, depth: (above?.depth ?? 0) + 1),
      PhaseRecord(openedAt: now))
    self[child.parent].children.insert(child.id)
    let (hasHeard, awaitsDrain) = (self[child.parent].hasHeard, self[child.parent].awaitsDrain)
    if hasHeard { hear(child.id, until: hearing(of: child.parent)) }
    if !awaitsDrain { drain(child.id, at: now) }
  }

  /// Its parent was given up in the moment in which it was opened: its end is not waited for.
  mutating func turnAway(_ child: Child, at now: Instant) {
    lastChild = max(lastChild, child.id)
    tell(child.id, .cancel(deadline: now))
    tell(child.id, .abandon)
  }

  /// A child that ended while the program ran leaves nothing behind, however it ended.
  ///
  /// There may be millions, and their callers know. What the report tells is the stop.
  mutating func record(_ child: Child, _ end: PhaseEnd) {
    if case .stopping = state, childReports.count < Self.mostChildReports {
      childReports.append(
        self[child.id].report(child.id, name: nameOf(child.id), parent: nameOf(child.parent), since: startedAt ?? .now))
    }
    self[child.parent].children.remove(child.id)
    children.remove(child.id)
  }

  /// More of them would fill the memory and not be read.
  static var mostChildReports: Int { 256 }
}
