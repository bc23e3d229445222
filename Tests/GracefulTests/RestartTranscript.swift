/// What the program `restarting` wrote, and what is wrong with it.
///
/// The transcript tells of bodies, not of decisions: a phase may begin in the moment in which what it requires fails. So
/// only what must hold all the same is judged.
struct RestartTranscript: StopTranscript {
  static let phases = 8

  /// How often any phase failed.
  private(set) var failures = 0
  private(set) var starts = 0
  private(set) var faults: [String] = []

  private enum State { case idle, running, failed, ended }
  private var states: [State] = Array(repeating: .idle, count: phases)

  static func requirements(of phase: Int) -> [Int] { [phase - 2, phase - 3].filter { $0 >= 0 } }
  static func dependents(of phase: Int) -> [Int] { (0..<phases).filter { requirements(of: $0).contains(phase) } }
  /// All that require it, however far.
  static func allDependents(of phase: Int) -> Set<Int> {
    var (found, open) = (Set<Int>(), [phase])
    while let next = open.popLast() { open += dependents(of: next).filter { found.insert($0).inserted } }
    return found
  }

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 2, let number = Int(words[1]), states.indices.contains(number) else {
        faults.append("not a line: \(line)")
        continue
      }
      switch words[0] {
      case "+": begin(number)
      case "*": if states[number] != .running { faults.append("\(number) is ready, and does not run") }
      case "x":
        failures += 1
        leave(number, .failed)
      case "-":
        for other in Self.dependents(of: number) where states[other] == .running {
          faults.append("\(number) ended before \(other), which requires it")
        }
        leave(number, .ended)
      default: faults.append("not a line: \(line)")
      }
    }
    for phase in states.indices where states[phase] == .running { faults.append("\(phase) began and never ended") }
  }

  private mutating func begin(_ phase: Int) {
    starts += 1
    if states[phase] == .running { faults.append("\(phase) began twice") }
    // Those that are started again after an odd one, have ended before that one begins again.
    if phase % 2 == 1 {
      for other in Self.allDependents(of: phase) where states[other] == .running {
        faults.append("\(phase) began again before \(other) had ended")
      }
    }
    for required in Self.requirements(of: phase) where states[required] == .idle {
      faults.append("\(phase) began before \(required), which it requires, ever did")
    }
    states[phase] = .running
  }

  private mutating func leave(_ phase: Int, _ state: State) {
    if states[phase] != .running { faults.append("\(phase) ended, and did not run") }
    states[phase] = state
  }
}
