import CGracefulSystem
import SystemPackage
import TestHost
import Testing

/// S9, with a real process: every thread of the cooperative pool is blocked, and the stop works all the same.
@Suite("A program whose every pool thread is blocked", .sharing(.processors))
struct BlockedPoolTests {
  private static let terminate: Int32 = 15

  @Test("Traps 12, 19: exits 124 within its grace after one SIGTERM, and its report names the phase")
  func deadline() async throws {
    let program = try ChildProgram("blocked", ["6000"])
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    program.signal(Self.terminate)
    let end = try #require(await program.end())
    #expect(end.code == 124)
    let stopped = try #require(ChildProgram.timeToStop(in: end.errors), "\(end.errors)")
    #expect(stopped < 6 && end.took < .seconds(12), "\(end.errors)")
    #expect(stopped > 2, "it was given its time to drain and to be cancelled")
    #expect(end.errors.contains("! greedy   ABANDONED"), "\(end.errors)")
    #expect(end.errors.contains("asked by SIGTERM"))
  }

  @Test("Traps 16, 19: exits 143 at once after three SIGTERM")
  func threeSignals() async throws {
    let program = try ChildProgram("blocked", ["60000"])
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    // Signals of the same number do not queue (signal(7)): the next one is sent when the one before has been heard.
    // There is nothing to await here, since a blocked program logs nothing, so it is sent until the third was heard.
    var end: (code: Int32, errors: String, took: Duration)?
    for _ in 0..<200 where end == nil {
      program.signal(Self.terminate)
      end = await program.end(limit: .milliseconds(50))
    }
    let ended = try #require(end)
    #expect(ended.code == 143)
    #expect(ended.errors.contains("! greedy   ABANDONED"), "\(ended.errors)")
    #expect(ended.errors.contains("exit 143: ended at once by SIGTERM"))
  }

  @Test("logs what happens all the same, and loses nothing of it at an exit at once")
  func log() async throws {
    let program = try ChildProgram("blocked", ["60000"])
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    for signals in 1...3 {
      program.signal(Self.terminate)
      #expect(await program.hears("stop requested", times: signals))
    }
    let end = try #require(await program.end())
    #expect(end.code == 143)
    let abandoned = end.errors.split(separator: "\n").filter { $0.contains("in time and is abandoned") }
    #expect(abandoned.map { $0.contains("phase.name=greedy") || $0.contains("phase.name=quiet") } == [true, true])
    // The last of the log is before the report, whose last line is the last of all.
    let lines = end.errors.split(separator: "\n")
    let summary = try #require(lines.firstIndex { $0.contains("exit.code=143") })
    let report = try #require(lines.firstIndex { $0.hasPrefix("! greedy   ABANDONED") })
    #expect(summary < report)
    #expect(lines.last == "  exit 143: ended at once by SIGTERM")
  }

  @Test("Trap 16: exits 124 after the cancel limit when a second SIGTERM is the last")
  func twoSignals() async throws {
    let program = try ChildProgram("blocked", ["60000"])
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    program.signal(Self.terminate)
    // Long enough for the first to be heard; if the two were one after all, the end would come after 60 s only.
    #expect(await program.end(limit: .milliseconds(500)) == nil)
    program.signal(Self.terminate)
    let end = try #require(await program.end(limit: .seconds(20)))
    #expect(end.code == 124)
    #expect(end.took < .seconds(10))
  }

  @Test("Trap 19: exits 0 when nothing is blocked, with its buffers flushed and the report on standard error")
  func clean() async throws {
    let program = try ChildProgram("blocked", ["0"])
    let end = try #require(await program.end())
    #expect(end.code == 0)
    #expect(end.errors.contains("asked by the program: enough"))
    #expect(end.errors.contains("exit 0: clean"))
    #expect(await program.wait(for: "in a buffer", on: program.output, limit: .seconds(1)) == "in a buffer")
  }

  @Test(
    "exits in time although its standard error is a full pipe that nobody reads", .serialized,
    arguments: [("pool", 124), ("after", 0)] as [(String, Int32)])
  func fullPipe(what: String, code: Int32) async throws {
    let pipe = try FileDescriptor.pipe()
    defer {
      try? pipe.readEnd.close()
      try? pipe.writeEnd.close()
    }
    var poll = cgs_poll(fd: pipe.writeEnd.rawValue, wanted: Int16(CGS_POLL_OUT), happened: 0)
    let bytes = [UInt8](repeating: 0x20, count: 4096)
    while cgs_poll(&poll, 1, 0) > 0 { _ = cgs_write(pipe.writeEnd.rawValue, bytes, bytes.count) }
    let program = try ChildProgram(
      "blocked", ["6000", what], errors: (read: -1, write: pipe.writeEnd.rawValue))
    #expect(await program.wait(for: "blocked\n", on: program.output) != nil)
    program.signal(Self.terminate)
    let end = try #require(await program.end())
    #expect(end.code == code)
    // There is no report that says it more exactly.
    #expect(end.took < .seconds(12))
  }
}
