/// How a restart ended.
public enum RestartOutcome: String, Hashable, Sendable, Codable {
  /// A new process serves: an answer is proven to come from it, or is trusted to.
  case served
  /// The new process, or the command, ended without serving.
  case failed
  /// Nothing came of it in time.
  case gaveUp
  /// The server answers after it, and which process does cannot be seen.
  case notKnown
}

/// One restart, from its request to its outcome.
package struct RestartStateMachine: Equatable, Sendable {
  /// What tells that it served.
  package enum Way: Hashable, Sendable {
    /// A successor of the demo that we started: its `serving` line.
    case successor(Int32)
    /// A demo that was told to start its own successor: the successor's `serving` line.
    case told(Int32)
    /// Any server: answers of a new process, for a while and of no old one. The process that we started for it, if any.
    case observed(started: Int32?)
    /// A shell command that exits with 0, and the same.
    case command(Int32)
  }

  package enum Event: Hashable, Sendable {
    case serving(pid: Int32, generation: Int)
    case paused(Int32)
    /// Cleanly: with code 0. How a process ends that is not ours is not known.
    case ended(Int32, cleanly: Bool)
    /// The server was asked, and answered; and which process is at the top of those that are new.
    case answered(AnswerSource, newest: Int32?)
    /// The server was asked, and did not answer.
    case silent
    /// Nothing has spoken against it for a while.
    case settled
    /// The restart has taken too long.
    case limit
    /// A stopped process has not been ended.
    case hangLimit
  }

  package enum Action: Hashable, Sendable {
    case kill(Int32)
    case stop(Int32)
    case armHangLimit
    case armSettling
    /// The same, for longer: it is not known yet which process answers, and a later look may show it.
    case armDoubting
    case finish(Finish)
  }

  package struct Finish: Hashable, Sendable {
    package var outcome: RestartOutcome
    package var pid: Int32?
    package var generation: Int?
    package var leftOver: Int32?
    /// Whether a fault explains it.
    package var wasFaulted = false
    /// How it is known that it served.
    package var proof: RestartProof?
    /// The process from before the restart that still answered when it was given up.
    package var answering: Int32?
  }

  /// A process that seems to serve.
  struct Candidate: Equatable, Sendable {
    var pid: Int32?
    /// `nil` while it is not known that it is this process that answers.
    var proof: RestartProof?
  }

  enum State: Equatable, Sendable {
    case waiting
    case settling(Candidate)
    /// Settled, and the command still runs.
    case settled(Candidate)
    case killed(Int32)
    case stopped(Int32)
    case over
  }

  private(set) var state = State.waiting
  private let way: Way
  private let fault: RehearsalFault
  private let trusts: Bool
  private var commandHasEnded = false
  /// From which process the last answer came; `nil` after none.
  private var last: AnswerSource?
  /// A new process that has answered, proven.
  private var proven: Candidate?

  /// - Parameter trusts: Whether a restart counts where it is not known which process answers.
  package init(_ way: Way, fault: RehearsalFault, trusts: Bool = false) {
    self.way = way
    self.fault = fault
    self.trusts = trusts
  }

  package mutating func receive(_ event: Event) -> [Action] {
    switch (state, event) {
    case (.waiting, .serving(let pid, let generation)): return serving(pid, generation)
    case (.waiting, .paused(let pid)):
      switch fault {
      case .none: return []
      case .kill:
        state = .killed(pid)
        return [.kill(pid)]
      case .hang:
        state = .stopped(pid)
        return [.stop(pid), .armHangLimit]
      }
    case (.waiting, .ended(let pid, let cleanly)), (.settling, .ended(let pid, let cleanly)),
      (.settled, .ended(let pid, let cleanly)):
      return ended(pid, cleanly)
    case (.waiting, .answered(let source, let newest)), (.settling, .answered(let source, let newest)),
      (.settled, .answered(let source, let newest)):
      return answered(source, newest)
    case (.waiting, .silent), (.settling, .silent), (.settled, .silent):
      last = nil
      return back()
    case (.settling(let candidate), .settled): return settled(candidate)
    case (.waiting, .limit), (.settling, .limit), (.settled, .limit): return gaveUp()

    case (.killed(let killed), .ended(let pid, _)):
      guard pid == killed else { return [] }
      return finish(Finish(outcome: .failed, pid: pid, wasFaulted: true))
    case (.killed(let pid), .limit):
      return finish(Finish(outcome: .gaveUp, pid: pid, leftOver: pid, wasFaulted: true))

    case (.stopped(let stopped), .ended(let pid, _)):
      guard pid == stopped else { return [] }
      return finish(Finish(outcome: .gaveUp, pid: pid, wasFaulted: true))
    case (.stopped(let pid), .hangLimit):
      // The server has not ended what hung: that is a finding about the predecessor, and not left running.
      return [.kill(pid)] + finish(Finish(outcome: .gaveUp, pid: pid, leftOver: pid, wasFaulted: true))

    // The limit of the restart is not the stopped one's: who waits for it has a limit of his own.
    case (.stopped, .limit): return []
    // A killed or stopped process cannot have said this after it; it was in the pipe before, and is true no more.
    case (.killed, .serving), (.killed, .paused), (.killed, .answered), (.killed, .silent), (.killed, .settled),
      (.killed, .hangLimit), (.stopped, .serving), (.stopped, .paused), (.stopped, .answered), (.stopped, .silent),
      (.stopped, .settled):
      return []
    // Timers that were armed for an earlier state, and what other processes say meanwhile.
    case (.waiting, .settled), (.waiting, .hangLimit), (.settling, .serving), (.settling, .paused),
      (.settling, .hangLimit), (.settled, .serving), (.settled, .paused), (.settled, .settled), (.settled, .hangLimit):
      return []
    case (.over, .serving), (.over, .paused), (.over, .ended), (.over, .answered), (.over, .silent), (.over, .settled),
      (.over, .limit), (.over, .hangLimit):
      return []
    }
  }

  private mutating func finish(_ finish: Finish) -> [Action] {
    state = .over
    return [.finish(finish)]
  }

  private mutating func serving(_ new: Int32, _ generation: Int) -> [Action] {
    let served = Finish(outcome: .served, pid: new, generation: generation, proof: .word)
    switch way {
    case .successor(let pid): return new == pid ? finish(served) : []
    case .told(let old): return new == old ? [] : finish(served)
    // The process speaks our demo's language, but these are judged by their answers.
    case .observed, .command: return []
    }
  }

  /// What the restart is to be judged by: `nil` while the answer says nothing for it.
  private func candidate(_ source: AnswerSource, _ newest: Int32?) -> Candidate? {
    switch (way, source) {
    case (.successor, _), (.told, _): nil
    case (.observed, .new(let pid, let proof)), (.command, .new(let pid, let proof)):
      Candidate(pid: pid ?? newest, proof: proof)
    // A command is trusted when it exits with 0; any other server when it has a new process.
    case (.command, .old): nil
    case (.observed, .old): trusts && newest != nil ? Candidate(pid: newest, proof: .trust) : nil
    case (.observed, .unknown): newest == nil ? nil : Candidate(pid: newest, proof: trusts ? .trust : nil)
    case (.command, .unknown): commandHasEnded ? Candidate(pid: newest, proof: nil) : nil
    }
  }

  private mutating func answered(_ source: AnswerSource, _ newest: Int32?) -> [Action] {
    last = source
    let candidate = self.candidate(source, newest)
    if case .new = source, let candidate { proven = candidate }
    switch (state, candidate) {
    case (.waiting, nil): return []
    case (.waiting, let candidate?):
      state = .settling(candidate)
      return [candidate.proof == nil ? .armDoubting : .armSettling]
    case (.settling(let current), let candidate?), (.settled(let current), let candidate?):
      // What is proven stays so: a look that saw nothing speaks neither for it nor against it.
      guard current.proof == nil || current.proof == .trust, candidate.proof != current.proof else { return [] }
      state = .settling(candidate)
      return [.armSettling]
    case (.settling(let current), nil), (.settled(let current), nil):
      if case .unknown = source, current.proof != nil { return [] }
      return back()
    // Answers come to those states only.
    case (.killed, _), (.stopped, _), (.over, _): return []
    }
  }

  private mutating func settled(_ candidate: Candidate) -> [Action] {
    if case .command = way, !commandHasEnded {
      state = .settled(candidate)
      return []
    }
    return finish(judged(candidate))
  }

  private func judged(_ candidate: Candidate) -> Finish {
    Finish(outcome: candidate.proof == nil ? .notKnown : .served, pid: candidate.pid, proof: candidate.proof)
  }

  private mutating func ended(_ pid: Int32, _ cleanly: Bool) -> [Action] {
    switch way {
    case .successor(let successor):
      return pid == successor ? finish(Finish(outcome: .failed, pid: pid)) : []
    // The process that was told died of it.
    case .told(let old): return pid == old ? finish(Finish(outcome: .failed)) : []
    case .observed(let started):
      // A server that goes into the background ends its first process with 0: its child is the new one.
      guard pid == started, !cleanly else { return pid == candidatePID ? back() : [] }
      return finish(Finish(outcome: .failed, pid: pid))
    case .command(let shell):
      guard pid == shell else { return pid == candidatePID ? back() : [] }
      guard cleanly else { return finish(Finish(outcome: .failed)) }
      commandHasEnded = true
      if case .settled(let candidate) = state { return finish(judged(candidate)) }
      if trusts { return finish(Finish(outcome: .served, pid: proven?.pid, proof: proven?.proof ?? .trust)) }
      return []
    }
  }

  private var candidatePID: Int32? {
    switch state {
    case .settling(let candidate), .settled(let candidate): candidate.pid
    case .waiting, .killed, .stopped, .over: nil
    }
  }

  /// What seemed to serve does not: something else may still come.
  private mutating func back() -> [Action] {
    state = .waiting
    return []
  }

  private mutating func gaveUp() -> [Action] {
    switch way {
    case .successor(let pid): return [.kill(pid)] + finish(Finish(outcome: .gaveUp, pid: pid))
    case .told: return finish(Finish(outcome: .gaveUp))
    case .observed(let started):
      // It serves, although an old process still does: that one is left over, and not this one in the way.
      if started != nil, let proven, last != nil { return finish(judged(proven)) }
      return (started.map { [Action.kill($0)] } ?? []) + finish(unserved(started))
    case .command(let shell): return (commandHasEnded ? [] : [Action.kill(shell)]) + finish(unserved(shell))
    }
  }

  private func unserved(_ pid: Int32?) -> Finish {
    switch last {
    case .unknown: Finish(outcome: .notKnown, pid: pid)
    case .old(let old): Finish(outcome: .gaveUp, pid: pid, answering: old)
    case .new, nil: Finish(outcome: .gaveUp, pid: pid)
    }
  }
}
