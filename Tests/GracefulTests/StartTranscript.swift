/// What the program `starting` wrote, and what is wrong with it.
struct StartTranscript: StopTranscript {
  static let phases = 12

  private(set) var began: [Int: Int] = [:]
  private(set) var ready: [Int: Int] = [:]
  private(set) var ended: [Int: Int] = [:]
  /// How long it took until all were ready, in microseconds.
  private(set) var whole: Int64?
  private(set) var faults: [String] = []

  static func requirements(of phase: Int) -> [Int] { [phase - 3, phase - 4].filter { $0 >= 0 } }

  init(_ text: String) {
    for (place, line) in text.split(separator: "\n").enumerated() {
      let words = line.split(separator: " ")
      guard words.count == 2, let number = Int(words[1]) else {
        faults.append("not a line: \(line)")
        continue
      }
      switch words[0] {
      case "+": note(number, at: place, in: \.began)
      case "*": note(number, at: place, in: \.ready)
      case "-": note(number, at: place, in: \.ended)
      case "=": whole = Int64(number)
      default: faults.append("not a line: \(line)")
      }
    }
    for phase in 0..<Self.phases { judge(phase) }
  }

  private mutating func note(_ phase: Int, at place: Int, in steps: WritableKeyPath<Self, [Int: Int]>) {
    if self[keyPath: steps].updateValue(place, forKey: phase) != nil { faults.append("\(phase) did a step twice") }
  }

  private mutating func judge(_ phase: Int) {
    guard let begin = began[phase] else {
      if ready[phase] != nil || ended[phase] != nil { faults.append("\(phase) never began, but went on") }
      return
    }
    guard let end = ended[phase] else {
      faults.append("\(phase) began and never ended")
      return
    }
    if end < begin { faults.append("\(phase) ended before it began") }
    for required in Self.requirements(of: phase) {
      if ready[required].map({ $0 > begin }) ?? true {
        faults.append("\(phase) began before \(required), which it requires, was ready")
      }
      if ended[required].map({ $0 < end }) ?? false {
        faults.append("\(required) ended before \(phase), which requires it")
      }
    }
  }
}
