internal import GracefulSystem
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
  private let machine: Mutex<Machine>
  private let events = Mailbox<Machine.Event>()

  package init(_ machine: Machine) {
    self.machine = Mutex(machine)
  }

  package func receive(_ event: Machine.Event, perform: (Machine.Action) -> Void) {
    events.post(event) { event in
      for action in machine.withLock({ $0.receive(event, at: .now) }) { perform(action) }
    }
  }

  /// Asks the machine something.
  package func ask<Answer: Sendable>(_ question: (Machine) -> Answer) -> Answer {
    machine.withLock { question($0) }
  }
}
