/// When the process exits: once every lifecycle that runs in it has ended, with the code that says most.
///
/// The codes of a lifecycle are ordered by what applies first (S14): of two, the higher one.
struct ProcessExitStateMachine: Equatable {
  enum Event: Equatable {
    /// A lifecycle begins to run, or is waited for once more.
    case began(Int)
    /// A call that ran it, and does not end the process, returns.
    case ended(Int)
    /// It has ended, and the process exits with it.
    case left(Int, code: Int32, atOnce: Bool)
    /// What was waited for has had its time, or a call that returned has.
    case overdue
  }

  enum Action: Equatable {
    /// The process exits, and this one runs.
    case stop(Int)
    /// The process would have exited, but for these.
    case wait(for: [Int])
    /// The last call has returned: its caller has a moment for the report.
    case linger
    case exit(code: Int32, atOnce: Bool)
  }

  private enum State: Equatable {
    case open
    case leaving(code: Int32, atOnce: Bool)
    case gone
  }

  private var state = State.open
  /// How many calls run each.
  private var running: [Int: Int] = [:]
  private var leavers: Set<Int> = []

  func isRunning(_ id: Int) -> Bool { running[id] != nil || leavers.contains(id) }

  /// Whether it has ended, and the process exits with it, be it later.
  func hasLeft(_ id: Int) -> Bool { leavers.contains(id) }

  mutating func receive(_ event: Event) -> [Action] {
    switch (state, event) {
    case (.open, .began(let id)):
      running[id, default: 0] += 1
      return []
    case (.leaving, .began(let id)):
      // Its call of the end: nothing begins with it.
      guard !leavers.contains(id) else { return [] }
      running[id, default: 0] += 1
      return [.stop(id)]
    case (.open, .ended(let id)):
      end(id)
      return []
    case (.leaving, .ended(let id)):
      end(id)
      return running.isEmpty ? [.linger] : []
    case (.open, .left(let id, let code, let atOnce)): return leave(id, code, atOnce, isFirst: true)
    case (.leaving(let before, let wasAtOnce), .left(let id, let code, let atOnce)):
      return leave(id, max(before, code), wasAtOnce || atOnce, isFirst: false)
    case (.leaving(let code, let atOnce), .overdue): return exit(code, atOnce || !running.isEmpty)
    case (.open, .overdue), (.gone, .began), (.gone, .ended), (.gone, .overdue): return []
    // An exit that hangs, and another thread that insists.
    case (.gone, .left(_, let code, let atOnce)): return exit(code, atOnce)
    }
  }

  private mutating func end(_ id: Int) {
    guard let calls = running[id] else { return }
    running[id] = calls > 1 ? calls - 1 : nil
  }

  private mutating func leave(_ id: Int, _ code: Int32, _ atOnce: Bool, isFirst: Bool) -> [Action] {
    let isNew = leavers.insert(id).inserted
    running[id] = nil
    // A signal that came for the third time ends all of it.
    if running.isEmpty || code >= 128 { return exit(code, atOnce) }
    state = .leaving(code: code, atOnce: atOnce)
    let others = running.keys.sorted()
    return (isFirst ? others.map { .stop($0) } : []) + (isNew ? [.wait(for: others)] : [])
  }

  private mutating func exit(_ code: Int32, _ atOnce: Bool) -> [Action] {
    state = .gone
    return [.exit(code: code, atOnce: atOnce)]
  }
}
