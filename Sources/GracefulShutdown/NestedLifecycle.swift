extension Lifecycle {
  /// Adds a phase that holds a lifecycle: that of a library, for instance, which has phases of its own.
  ///
  /// ```swift
  /// let search = shop.phase("search", requires: database, lifecycle: SearchEngine.lifecycle)
  /// shop.phase("web", requires: search) { phase in … }
  /// ```
  ///
  /// Its phases become phases of this one, with this phase's name before theirs (`search/index`), and everything that is
  /// promised of phases is promised of them: those of it that require nothing start when what this phase requires is
  /// ready; this phase is ready when all of them are; they stop when all that require this phase have ended, and before
  /// what it requires. They are in the plan, the snapshot, the events and the report (``LifecycleReport/part(_:)``) of this
  /// lifecycle, and in its log. When one of them fails or ends by itself, the whole stops.
  ///
  /// From when its stop begins it has its own grace, as if it was alone, and never more than the whole has left.
  ///
  /// It runs with this one and only so: its own `run()` starts nothing then and reports a mistake, and so does this one's
  /// when it runs already, is held by another phase, or holds itself. ``requestStop(_:)`` of it stops this phase alone, with
  /// what requires it, and nothing of it ever begins when that comes before the run; ``requestStop(of:)`` of it,
  /// ``snapshot()`` and ``events`` are those of the whole, with the names that they have there.
  /// - Parameters:
  ///   - name: Unique in this lifecycle, and not empty.
  ///   - requires: What must be ready before any of it starts, and is told to stop only after all of it has ended.
  ///   - limit: How long all of it may take to stop, when that is shorter than its grace.
  ///   - lifecycle: Phases that are added to it later count, too, until this one runs.
  /// - Returns: What stands for all of it: phases of this lifecycle cannot require one of its phases.
  @discardableResult
  public func phase(
    _ name: String, requires: some PhaseRequirement = .nothing, limit: Duration? = nil, lifecycle: Lifecycle
  ) -> PhaseHandle {
    var declaration = PhaseGraph.Declaration(name, requires: requires.requiredPhases.map(\.name), limit: limit?.bounded)
    declaration.nestedGrace = limit.map { min($0.bounded, lifecycle.grace) } ?? lifecycle.grace
    add(declaration, holding: lifecycle) { phase in
      phase.ready()
      await phase.turnToStop()
    }
    return PhaseHandle(name)
  }
}

extension LifecycleReport {
  /// What it says of the lifecycle that a phase held, as a report of its own.
  ///
  /// Its phases have the names that they have there. It begins to stop when that phase was told to drain.
  /// - Parameter phase: The phase; `search/cache` for a phase that a phase of it holds in turn.
  /// - Returns: `nil` when there is no such phase, or nothing in it.
  public func part(_ phase: String) -> LifecycleReport? {
    let prefix = "\(phase)/"
    guard let holder = phases.first(where: { $0.name == phase }) else { return nil }
    var part = self
    part.lifecycle = phase
    part.phases = phases.filter { $0.name.hasPrefix(prefix) }.map { $0.within(prefix) }
    guard !part.phases.isEmpty else { return nil }
    part.stragglers = stragglers.filter { $0.phase.hasPrefix(prefix) }.map { $0.within(prefix) }
    part.childrenOpened = part.phases.count { $0.parent != nil }
    let end = ran + took
    part.ran = holder.drainAfter ?? end
    part.took = max((part.phases.compactMap(\.endedAfter).max() ?? end) - part.ran, .zero)
    return part
  }
}

extension PhaseReport {
  fileprivate func within(_ prefix: String) -> PhaseReport {
    var phase = self
    phase.name = String(name.dropFirst(prefix.count))
    phase.parent = parent.flatMap { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : nil }
    phase.requires = requires.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    return phase
  }
}

extension Straggler {
  fileprivate func within(_ prefix: String) -> Straggler {
    var straggler = self
    straggler.phase = String(phase.dropFirst(prefix.count))
    if kind == .phase { straggler.name = String(name.dropFirst(prefix.count)) }
    return straggler
  }
}
