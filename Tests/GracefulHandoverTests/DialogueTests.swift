import TestHost
import Testing

@testable import GracefulHandover

@Suite("Predecessor and successor, wired together in memory", .valuesOnly)
struct DialogueTests {
  @Test("without a fault the successor accepts at the end, and the predecessor does not")
  func undisturbed() {
    var dialogue = Dialogue()
    var steps = 0
    while let move = dialogue.moves.first(where: { !$0.isFault }) {
      dialogue.make(move)
      steps += 1
    }
    #expect(steps == 11)
    #expect(dialogue.successorAccepts)
    #expect(!dialogue.predecessorAccepts)
    #expect(dialogue.predecessor.hasReleased)
    #expect(dialogue.finalViolations.isEmpty)
  }

  @Test("killed at any step, on either side, the other one serves on", arguments: [true, false])
  func killedAtAnyStep(predecessorDies: Bool) {
    for step in 0...11 {
      var dialogue = Dialogue()
      for _ in 0..<step {
        guard let move = dialogue.moves.first(where: { !$0.isFault }) else { break }
        dialogue.make(move)
      }
      let released = dialogue.predecessor.hasReleased
      dialogue.make(predecessorDies ? .predecessorDies : .successorDies)
      while let move = dialogue.moves.first(where: { !$0.isFault }) { dialogue.make(move) }
      #expect(dialogue.finalViolations.isEmpty, "step \(step)")
      if predecessorDies {
        // Before the whole offer is here there is nothing to serve with; then the successor starts as the first.
        #expect(dialogue.successorAccepts || dialogue.failure == .predecessorLost, "step \(step)")
        if step >= 6 { #expect(dialogue.successorAccepts, "step \(step)") }
      } else if !released {
        #expect(dialogue.predecessorAccepts, "step \(step)")
      }
    }
  }

  @Test("in every order of events with up to four faults, never two accept, and one does at the end")
  func everyOrder() {
    var exploration = Exploration(faults: 4)
    exploration.explore(Dialogue(), faultsLeft: exploration.faults, path: [])
    #expect(exploration.violations.isEmpty, "\(exploration.violations.prefix(5))")
    #expect(exploration.ends > 10_000)
    print("explored \(exploration.ends) dialogues to their end, \(exploration.steps) steps")
  }
}

/// All ways in which a dialogue can go on, to their end.
private struct Exploration {
  let faults: Int
  var ends = 0
  var steps = 0
  var violations: [String] = []

  init(faults: Int) { self.faults = faults }

  mutating func explore(_ dialogue: Dialogue, faultsLeft: Int, path: [Dialogue.Move]) {
    let moves = dialogue.moves.filter { !$0.isFault || faultsLeft > 0 }
    if !moves.contains(where: { !$0.isFault }) {
      ends += 1
      // At rest, a successor that looks for a death waits for its deadline; without one it has not ended.
      for violation in dialogue.finalViolations where dialogue.successorTimers.isEmpty {
        violations.append("\(violation): \(path)")
      }
    }
    guard violations.count < 5 else { return }
    for move in moves {
      steps += 1
      var next = dialogue
      next.make(move)
      guard next.violations.isEmpty else {
        violations.append("\(next.violations): \(path + [move])")
        return
      }
      explore(next, faultsLeft: faultsLeft - (move.isFault ? 1 : 0), path: path + [move])
    }
  }
}
