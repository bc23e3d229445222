/// Phases that are opened while the program runs (S12), and phases that are stopped alone.
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

  /// Until when phases that hear together with this one may go on.
  private func hearing(of id: Int) -> Instant? {
    if case .stopping(let stopping) = state { return stopping.timetable.cancelAt }
    var next: Int? = id
    while let id = next {
      if let timetable = self[id].stop.timetable { return timetable.cancelAt }
      next = children.parent(of: id)
    }
    return nil
  }

  mutating func stopAlone(_ id: Int, _ urgency: StopRequest.Urgency, at now: Instant) {
    // It may have ended in the same moment.
    guard isKnown(id) else { return }
    if self[id].stop.timetable == nil || self[id].isRecycling, self[id].isLive || self[id].isToBegin {
      let timetable = StopTimetable(grace: grace, at: now)
      for other in stopped(with: id) {
        if state == .running, phases.indices.contains(other), phases[other].isAwaited {
          tell(other, .stoppedBeforeReady)
        }
        prepareToStop(other, timetable)
        stopHolding(other)
      }
      if children.contains(id) {
        if self[id].awaitsDrain { drain(id, at: now) }
      } else {
        for other in graph.downwards where phases[other].stop.timetable != nil { drainIfFree(other, at: now) }
      }
    }
    if urgency != .drain {
      for other in stopped(with: id) {
        // Those inside are, when it is: they were marked with it.
        if !self[other].isHurried { for inside in descendants(of: other) { self[inside].isHurried = true } }
        self[other].isHurried = true
        self[other].stop.changeTimetable { $0.cancelNow(at: now) }
        hasten(other, at: now)
      }
    }
  }

  mutating func prepareToStop(_ id: Int, _ timetable: StopTimetable) {
    stopRecycling(id)
    let hasHeard = self[id].hasHeard
    self[id].stop = .alone(timetable)
    // Not begun: then it never will.
    guard self[id].isLive else { return }
    if !hasHeard { hear(id, until: timetable.cancelAt) }
    for other in descendants(of: id) where !self[other].hasHeard { hear(other, until: timetable.cancelAt) }
  }

  /// It, the lifecycle that it holds, and all that require any of them, however far: the furthest first.
  func stopped(with id: Int) -> [Int] {
    guard phases.indices.contains(id) else { return [id] }
    var found = Set(graph.nodes[id].members + [id])
    // Upwards: a dependent of a phase that was found was not seen yet.
    for other in graph.downwards.reversed() where graph.nodes[other].requires.contains(where: found.contains) {
      found.insert(other)
    }
    return graph.downwards.filter(found.contains)
  }
}
