/// What was declared of a lifecycle, until it runs.
struct LifecycleDraft {
  /// A lifecycle that a phase holds.
  struct Nested {
    var phase: Int
    var lifecycle: Lifecycle
  }

  var declarations: [PhaseGraph.Declaration] = []
  var bodies: [Lifecycle.Body] = []
  var filters: [Lifecycle.RestartFilter?] = []
  var nested: [Nested] = []
  var requests: [StopRequest] = []
  /// Phases that were asked to stop alone.
  var stopped: [String] = []
  var mistakes: [ConfigurationMistake] = []

  var graph: PhaseGraph { PhaseGraph(declarations, mistakes: mistakes) }

  /// With the lifecycles that its phases hold, and those that these hold.
  ///
  /// - Parameter draft: That of a lifecycle, which a phase of this name is to hold; `nil` when it cannot be held.
  func whole(of lifecycle: Lifecycle, _ draft: (Lifecycle, String) -> LifecycleDraft?) -> LifecycleDraft {
    var whole = self
    var seen = [ObjectIdentifier(lifecycle)] as Set
    var next = 0
    while next < whole.nested.count {
      let nested = whole.nested[next]
      next += 1
      let name = whole.declarations[nested.phase].name
      if seen.insert(ObjectIdentifier(nested.lifecycle)).inserted, let inner = draft(nested.lifecycle, name) {
        whole.put(inner, into: nested.phase)
      } else {
        let kind = ConfigurationMistake.Kind.lifecycleTaken(phase: name, lifecycle: nested.lifecycle.name)
        whole.mistakes.append(ConfigurationMistake(kind: kind))
      }
    }
    return whole
  }

  /// As the lifecycle that the phase `holder` holds.
  ///
  /// What that requires is required by those in here that require nothing; it itself requires those that nothing in here
  /// does, and with them all of them: it is ready when they are, and the first to end.
  private mutating func put(_ inner: LifecycleDraft, into holder: Int) {
    let (path, outside, before) = (declarations[holder].name, declarations[holder].requires, declarations.count)
    let required = Set(inner.declarations.flatMap(\.requires))
    for declaration in inner.declarations {
      var moved = declaration
      // A name that is empty stays so, and is a mistake.
      moved.name = declaration.name.isEmpty ? "" : "\(path)/\(declaration.name)"
      moved.requires = declaration.requires.isEmpty ? outside : declaration.requires.map { "\(path)/\($0)" }
      moved.within = path
      declarations.append(moved)
      if !required.contains(declaration.name) { declarations[holder].requires.append(moved.name) }
    }
    bodies += inner.bodies
    filters += inner.filters
    nested += inner.nested.map { Nested(phase: $0.phase + before, lifecycle: $0.lifecycle) }
    mistakes += inner.mistakes
    // Of a lifecycle that was asked to stop before it began, nothing begins (S10).
    stopped += inner.requests.isEmpty ? inner.stopped.map { "\(path)/\($0)" } : [path]
  }
}
