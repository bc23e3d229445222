internal import Synchronization

/// A decision-maker that a ``MachineDriver`` can drive.
package protocol DrivenMachine: Sendable {
  associatedtype Event: Sendable
  associatedtype Action: Sendable
  mutating func receive(_ event: Event, at now: ContinuousClock.Instant) -> [Action]
}

extension PredecessorStateMachine: DrivenMachine {}
extension SuccessorStateMachine: DrivenMachine {}

/// Takes events to a machine one at a time, and performs its actions outside the lock.
///
/// An action may cause an event at once (a send that fails); it waits until all actions of the event before it have
/// been performed.
package final class MachineDriver<Machine: DrivenMachine>: Sendable {
  private struct State {
    var machine: Machine
    var events: [Machine.Event] = []
    var isRunning = false
  }

  private let state: Mutex<State>

  package init(_ machine: Machine) {
    state = Mutex(State(machine: machine))
  }

  package func receive(_ event: Machine.Event, perform: (Machine.Action) -> Void) {
    let isFirst = state.withLock { state in
      state.events.append(event)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    guard isFirst else { return }
    while let actions = next() {
      for action in actions { perform(action) }
    }
  }

  /// Asks the machine something.
  package func ask<Answer: Sendable>(_ question: (Machine) -> Answer) -> Answer {
    state.withLock { question($0.machine) }
  }

  private func next() -> [Machine.Action]? {
    state.withLock { state in
      guard !state.events.isEmpty else {
        state.isRunning = false
        return nil
      }
      return state.machine.receive(state.events.removeFirst(), at: .now)
    }
  }
}
