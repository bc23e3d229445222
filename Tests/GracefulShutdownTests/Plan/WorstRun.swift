import GracefulShutdown

/// A run of the real state machine in which every phase does the worst: none comes back, and no gate is empty.
struct WorstRun {
  var began: [Int: Duration] = [:]
  var cancelled: [Int: Duration] = [:]
  var cut: [Int: Duration] = [:]
  var ended: [Int: Duration] = [:]
  var report: LifecycleReport?

  var took: Duration? { report?.took }

  /// Each look sees that a session has come.
  ///
  /// - Parameter behaves: Whether a phase ends at this step all the same.
  init(
    _ graph: PhaseGraph, grace: Duration, lameDuck: LameDuck.Timing? = nil, isQuiet: Bool = false,
    behaves: (Int, LifecycleStateMachine.Action) -> Bool = { _, _ in false }
  ) {
    var machine = LifecycleStateMachine(name: "shop", grace: grace, lameDuck: lameDuck, graph: graph)
    var (looks, seen): ([MonotonicInstant], UInt64) = ([], 0)
    let start = MonotonicInstant.now
    var open = machine.receive(.run, at: start)
    for id in graph.downwards.reversed() { open += machine.receive(.ready(id), at: start) }
    var now = start + .seconds(3)
    let request = now
    // What it was to be woken for at the start, still stands.
    var wakes = open.compactMap { if case .lifecycle(.wake(let instant)) = $0 { instant } else { nil } }
    open = machine.receive(.stop(StopRequest(source: .signal(15))), at: now)
    // Each phase is told at most four things.
    for _ in 0..<(graph.nodes.count * 16 + 16 + 1100) where report == nil {
      var next = 0
      while next < open.count {
        let action = open[next]
        next += 1
        let after = now - request
        switch action {
        case .phase(let id, .drain): began[id] = after
        case .phase(let id, .cut): cut[id] = after
        case .phase(let id, .cancel): cancelled[id] = after
        case .phase(let id, .abandon), .phase(let id, .release): ended[id] = after
        case .lifecycle(.wake(let instant)): wakes.append(instant)
        case .lifecycle(.look(let instant)): looks.append(instant)
        case .lifecycle(.finish(let report)): self.report = report
        case .phase, .lifecycle: break
        }
        switch action {
        case .phase(let id, .drain), .phase(let id, .cut), .phase(let id, .cancel):
          // A phase that holds a lifecycle does nothing itself, and ends at once.
          guard graph.nodes[id].nestedGrace != nil || behaves(id, action) else { continue }
          open += machine.receive(.emptied(id), at: now) + machine.receive(.ended(id, .returned), at: now)
        case .phase, .lifecycle: break
        }
      }
      guard report == nil else { break }
      if let look = looks.min(), look <= wakes.min() ?? look {
        looks.removeAll { $0 == look }
        now = max(now, look)
        if !isQuiet { seen += 1 }
        open = machine.receive(.looked(seen), at: now)
        continue
      }
      guard let wake = wakes.min() else { break }
      wakes.removeAll { $0 == wake }
      now = max(now, wake)
      open = machine.receive(.wake, at: now)
    }
  }
}
