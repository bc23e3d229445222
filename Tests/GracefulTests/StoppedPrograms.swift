import Testing

/// What a program wrote while it was stopped, read for what is wrong with it.
protocol StopTranscript: Sendable {
  init(_ text: String)
  var faults: [String] { get }
}

/// Many runs of a program that sends SIGTERM to itself at an instant of its own, eight at a time.
struct StoppedPrograms<Transcript: StopTranscript> {
  struct Outcome: Sendable {
    var transcript: Transcript
    var fault: String?
  }

  let program: String
  /// Besides 0, and with what else on its standard error.
  var isFine: @Sendable (_ code: Int32, _ errors: String) -> Bool = { _, _ in false }

  func run(_ count: Int, arguments: @escaping @Sendable (Int) -> [String]) async throws -> [Outcome] {
    let once: @Sendable ([String]) async throws -> Outcome = { [program, isFine] arguments in
      try await Self.once(program, arguments, isFine)
    }
    return try await withThrowingTaskGroup(of: Outcome.self) { group in
      var outcomes: [Outcome] = []
      for number in 0..<count {
        if number >= 8, let outcome = try await group.next() { outcomes.append(outcome) }
        group.addTask { try await once(arguments(number)) }
      }
      for try await outcome in group { outcomes.append(outcome) }
      return outcomes
    }
  }

  private static func once(
    _ program: String, _ arguments: [String], _ isFine: (Int32, String) -> Bool
  ) async throws -> Outcome {
    let program = try ChildProgram(program, arguments)
    let end = await program.end(limit: .seconds(30))
    let text = program.printed()
    var outcome = Outcome(transcript: Transcript(text))
    var faults = outcome.transcript.faults
    if let end {
      if end.code != 0, !isFine(end.code, end.errors) { faults.append("exit code \(end.code)") }
      if !end.errors.contains("asked by SIGTERM") { faults.append("not stopped by SIGTERM") }
    } else {
      faults.append("stuck")
    }
    if !faults.isEmpty {
      outcome.fault = "\(arguments): \(faults.joined(separator: "; "))\n\(text)\n\(end?.errors ?? "")"
    }
    return outcome
  }
}
