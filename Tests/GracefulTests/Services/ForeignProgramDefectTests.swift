import CGracefulSystem
import TestHost
import Testing

/// What costs a process with swift-service-lifecycle is shown in one, beside Graceful in the same position.
///
/// That something never comes cannot be awaited: a second in which it does not is taken for never. A slow machine cannot
/// turn that into a failure.
@Suite("What hangs with swift-service-lifecycle", .sharing(.processors))
struct ForeignProgramDefectTests {
  private static let terminate: Int32 = 15

  @Test("Defect 4: what hears nothing ends a group by a trap that names nobody; a lifecycle exits 124 and names it")
  func deaf() async throws {
    // No backtrace: of all threads it would be that of the timer, and to write it takes longer than all the rest.
    let theirs = try ChildProgram("foreign", ["deaf", "group"], environment: ["SWIFT_BACKTRACE=enable=no"])
    #expect(await theirs.wait(for: "running\n", on: theirs.output) != nil)
    theirs.signal(Self.terminate)
    let trapped = try #require(await theirs.end())
    #expect(trapped.code < 0, "killed by a signal, which a supervisor takes for a crash")
    #expect(trapped.errors.contains("Cancellation took longer than allowed"), "\(trapped.errors)")
    #expect(!trapped.errors.contains("Deaf"), "\(trapped.errors)")

    let ours = try ChildProgram("foreign", ["deaf", "graceful"])
    #expect(await ours.wait(for: "running\n", on: ours.output) != nil)
    ours.signal(Self.terminate)
    let ended = try #require(await ours.end())
    #expect(ended.code == 124)
    #expect(ended.errors.contains("exit 124: not ended in time: deaf"), "\(ended.errors)")
    #expect(ended.errors.contains("  polite  drained"), "\(ended.errors)")
  }

  @Test("Defect 6: a handler registered late locks itself out when it asks for the flag; one of Graceful's reads it")
  func lateHandler() async throws {
    let theirs = try ChildProgram("foreign", ["late-handler", "group"])
    #expect(await theirs.wait(for: "reading\n", on: theirs.output) != nil)
    #expect(await theirs.end(limit: .seconds(1)) == nil, "it waits for its own lock")
    #expect(await theirs.wait(for: "flag", on: theirs.output, limit: .milliseconds(1)) == nil)

    let ours = try ChildProgram("foreign", ["late-handler", "graceful"])
    #expect(await ours.wait(for: "ended\n", on: ours.output) == "reading\nflag false\nended\n")
    #expect(try #require(await ours.end()).code == 0)
  }

  @Test("Defect 6: a stop asked for by the code that a handler is around locks it out; in a phase the handler runs")
  func pulledInside() async throws {
    let theirs = try ChildProgram("foreign", ["pulled-inside", "testkit"])
    #expect(await theirs.wait(for: "reading\n", on: theirs.output) != nil)
    #expect(await theirs.end(limit: .seconds(1)) == nil, "it waits for its own lock")
    #expect(await theirs.wait(for: "flag", on: theirs.output, limit: .milliseconds(1)) == nil)

    let ours = try ChildProgram("foreign", ["pulled-inside", "graceful"])
    // False: the thread that calls the handler belongs to no task, so there is nothing that the flag could be read from.
    #expect(await ours.wait(for: "ended\n", on: ours.output) == "reading\nflag false\nended\n")
    #expect(try #require(await ours.end()).code == 0)
  }

  @Test("Defect 8: a group swallows the second SIGTERM and all that follow; a lifecycle exits 143 at the third")
  func secondSignal() async throws {
    let theirs = try ChildProgram("foreign", ["stuck", "group"])
    #expect(await theirs.wait(for: "running\n", on: theirs.output) != nil)
    theirs.signal(Self.terminate)
    #expect(await theirs.wait(for: "told\n", on: theirs.output) != nil)
    for _ in 0..<20 {
      theirs.signal(Self.terminate)
      #expect(await theirs.end(limit: .milliseconds(50)) == nil)
    }

    let ours = try ChildProgram("foreign", ["stuck", "graceful"])
    #expect(await ours.wait(for: "running\n", on: ours.output) != nil)
    ours.signal(Self.terminate)
    #expect(await ours.wait(for: "told\n", on: ours.output) != nil)
    // Signals of the same number do not queue (signal(7)): sent until the third has been heard.
    var end: (code: Int32, errors: String, took: Duration)?
    for _ in 0..<200 where end == nil {
      ours.signal(Self.terminate)
      end = await ours.end(limit: .milliseconds(50))
    }
    let ended = try #require(end)
    #expect(ended.code == 143)
    #expect(ended.errors.contains("! only  ABANDONED"), "\(ended.errors)")
  }

  @Test("Trap 12: with every thread of the pool blocked a group hears nothing; in a phase the handler is called")
  func blockedPool() async throws {
    let theirs = try ChildProgram("foreign", ["blocked", "group"])
    #expect(await theirs.wait(for: "blocked\n", on: theirs.output) != nil)
    theirs.signal(Self.terminate)
    #expect(await theirs.wait(for: "told", on: theirs.output, limit: .seconds(1)) == nil)

    let ours = try ChildProgram("foreign", ["blocked", "graceful"])
    #expect(await ours.wait(for: "blocked\n", on: ours.output) != nil)
    ours.signal(Self.terminate)
    #expect(await ours.wait(for: "told\n", on: ours.output) != nil)
    let end = try #require(await ours.end())
    #expect(end.code == 0, "\(end.errors)")
  }
}
