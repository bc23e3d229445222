/// Phases that hold a lifecycle.
extension LifecycleStateMachine {
  /// From here on the lifecycle that it holds stops, within a time of its own, and never beyond that of the whole.
  mutating func beginNested(_ id: Int, at now: Instant) {
    guard phases.indices.contains(id), let grace = graph.nodes[id].nestedGrace else { return }
    // Started again with what it requires, it stops nothing of it.
    guard !phases[id].isRecycling else { return }
    let timetable = StopTimetable(grace: grace, at: now)
    for member in graph.nodes[id].members {
      if phases[member].stop.timetable != nil {
        phases[member].stop.changeTimetable { $0 = timetable.clipped(to: $0) }
      } else if state != .running {
        phases[member].stop = .alone(timetable)
      }
      // Otherwise another phase of that lifecycle stops alone, and this one runs on.
    }
  }

  /// The phase that holds this one may wait for a restart of another one, and then has no stop of its own.
  mutating func beginHolder(of id: Int, at now: Instant) {
    guard phases.indices.contains(id), phases[id].stop.timetable == nil, let holder = graph.nodes[id].within else {
      return
    }
    if !phases[holder].isLive { beginNested(holder, at: now) }
  }
}
