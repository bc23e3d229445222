import TestHost
import Testing

/// With real processes: what a SIGTERM does that comes before the program does anything.
@Suite("A signal that comes early", .sharing(.processors))
struct FirstSignalTests {
  private func outcome(_ moment: String) async throws -> (code: Int32, errors: String, transcript: StartTranscript) {
    let program = try ChildProgram("starting", ["1", moment])
    let end = try #require(await program.end(), "stuck")
    return (end.code, end.errors, StartTranscript(program.printed()))
  }

  @Test(
    "Trap 17: a SIGTERM as the first thing that the first phase does is an ordinary stop", .serialized, arguments: 0..<5
  )
  func inTheFirstPhase(round: Int) async throws {
    let (code, errors, transcript) = try await outcome("first")
    #expect(code == 0, "signals are listened for before any phase starts\n\(errors)")
    #expect(errors.contains("asked by SIGTERM"), "\(errors)")
    #expect(transcript.faults == [])
    #expect(transcript.ended[0] != nil, "it is let finish its start, and has its turn")
    // It was ready only after the stop had been heard: what requires it must not have begun.
    #expect(transcript.began.keys.allSatisfy { !StartTranscript.requirements(of: $0).contains(0) })
  }

  @Test(
    "Trap 17: a SIGTERM between listening and the first phase is kept, and is an ordinary stop", .serialized,
    arguments: 0..<5)
  func beforeTheFirstPhase(round: Int) async throws {
    let (code, errors, transcript) = try await outcome("listening")
    #expect(code == 0)
    #expect(errors.contains("asked by SIGTERM"), "\(errors)")
    #expect(transcript.faults == [])
  }

  @Test("Trap 17: before anything listens a SIGTERM does what it always did: it ends the process, with nothing started")
  func beforeListening() async throws {
    let (code, errors, transcript) = try await outcome("before")
    #expect(code == -15, "ended by the signal, which is left to its default until run() is called")
    #expect(errors == "")
    #expect(transcript.began.isEmpty)
  }
}
