/// How a restart ended.
public enum RestartOutcome: String, Hashable, Sendable, Codable {
  /// A new process serves.
  case served
  /// The new process, or the command, ended without serving.
  case failed
  /// Nothing came of it in time.
  case gaveUp
}

/// One restart, from its request to its outcome.
package struct RestartStateMachine: Equatable, Sendable {
  /// What tells that it served.
  package enum Way: Hashable, Sendable {
    /// A successor of the demo that we started: its `serving` line.
    case successor(Int32)
    /// A demo that was told to start its own successor: the successor's `serving` line.
    case told(Int32)
    /// Any server: a new live process while the URL answers. The process that we started for it, if any.
    case observed(started: Int32?)
    /// A shell command: its exit.
    case command(Int32)
  }

  package enum Event: Hashable, Sendable {
    case serving(pid: Int32, generation: Int)
    case paused(Int32)
    /// Cleanly: with code 0. How a process ends that is not ours is not known.
    case ended(Int32, cleanly: Bool)
    /// There is a new live process, and the URL answers.
    case answering(Int32)
    /// What was new a moment ago still lives.
    case settled(Int32)
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
    case finish(Finish)
  }

  package struct Finish: Hashable, Sendable {
    package var outcome: RestartOutcome
    package var pid: Int32?
    package var generation: Int?
    package var leftOver: Int32?
    /// Whether a fault explains it.
    package var wasFaulted = false
  }

  enum State: Equatable, Sendable {
    case waiting
    case settling(Int32)
    case killed(Int32)
    case stopped(Int32)
    case over
  }

  private(set) var state = State.waiting
  private let way: Way
  private let fault: RehearsalFault

  package init(_ way: Way, fault: RehearsalFault) {
    self.way = way
    self.fault = fault
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
    case (.waiting, .ended(let pid, let cleanly)), (.settling, .ended(let pid, let cleanly)):
      return ended(pid, cleanly)
    case (.waiting, .answering(let pid)):
      state = .settling(pid)
      return [.armSettling]
    case (.settling(let expected), .settled(let pid)):
      guard pid == expected else { return [] }
      return finish(Finish(outcome: .served, pid: pid))
    case (.waiting, .limit), (.settling, .limit): return gaveUp()

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
    case (.killed, .serving), (.killed, .paused), (.killed, .answering), (.killed, .settled), (.killed, .hangLimit),
      (.stopped, .serving), (.stopped, .paused), (.stopped, .answering), (.stopped, .settled):
      return []
    // Timers that were armed for an earlier state, and what other processes say meanwhile.
    case (.waiting, .settled), (.waiting, .hangLimit), (.settling, .serving), (.settling, .paused),
      (.settling, .answering), (.settling, .hangLimit):
      return []
    case (.over, .serving), (.over, .paused), (.over, .ended), (.over, .answering), (.over, .settled), (.over, .limit),
      (.over, .hangLimit):
      return []
    }
  }

  private mutating func finish(_ finish: Finish) -> [Action] {
    state = .over
    return [.finish(finish)]
  }

  private mutating func serving(_ new: Int32, _ generation: Int) -> [Action] {
    let served = Finish(outcome: .served, pid: new, generation: generation)
    switch way {
    case .successor(let pid): return new == pid ? finish(served) : []
    case .told(let old): return new == old ? [] : finish(served)
    // The process speaks our demo's language, but these are judged by other signs.
    case .observed, .command: return []
    }
  }

  private mutating func ended(_ pid: Int32, _ cleanly: Bool) -> [Action] {
    switch way {
    case .successor(let successor):
      return pid == successor ? finish(Finish(outcome: .failed, pid: pid)) : []
    // The process that was told died of it.
    case .told(let old): return pid == old ? finish(Finish(outcome: .failed)) : []
    case .observed(let started):
      // A server that goes into the background ends its first process with 0: its child is the new one.
      guard pid == started, !cleanly else { return pid == settlingOn ? back() : [] }
      return finish(Finish(outcome: .failed, pid: pid))
    case .command(let shell):
      return pid == shell ? finish(Finish(outcome: cleanly ? .served : .failed)) : []
    }
  }

  private var settlingOn: Int32? {
    if case .settling(let pid) = state { pid } else { nil }
  }

  /// What was new has ended again: something else may still come.
  private mutating func back() -> [Action] {
    state = .waiting
    return []
  }

  private mutating func gaveUp() -> [Action] {
    switch way {
    case .successor(let pid), .command(let pid), .observed(let .some(pid)):
      return [.kill(pid)] + finish(Finish(outcome: .gaveUp, pid: pid))
    case .told, .observed(nil): return finish(Finish(outcome: .gaveUp))
    }
  }
}
