import GracefulShutdown
import Testing

@testable import Graceful

/// Two lifecycles in one process, as a table.
@Suite("The exit of a process in which lifecycles run")
struct ProcessExitTests {
  private typealias Machine = ProcessExitStateMachine

  private static func running(_ ids: Int...) -> Machine {
    var machine = Machine()
    for id in ids { _ = machine.receive(.began(id)) }
    return machine
  }

  @Test("comes at once with the only one")
  func one() {
    var machine = Self.running(1)
    #expect(machine.receive(.left(1, code: 0, atOnce: false)) == [.exit(code: 0, atOnce: false)])
  }

  @Test("waits for those that still run, which are told to stop, and has the higher code")
  func two() {
    var machine = Self.running(1, 2)
    #expect(machine.receive(.left(1, code: 0, atOnce: false)) == [.stop(2), .wait(for: [2])])
    #expect(machine.hasLeft(1) && !machine.hasLeft(2))
    #expect(machine.receive(.left(1, code: 0, atOnce: true)) == [], "its deadline is not that of the other")
    #expect(machine.receive(.left(2, code: 124, atOnce: true)) == [.exit(code: 124, atOnce: true)])
  }

  @Test("does not wait for one whose call has returned, and waits for all of its calls")
  func ended() {
    var machine = Self.running(1, 2, 2)
    _ = machine.receive(.ended(2))
    #expect(machine.receive(.left(1, code: 1, atOnce: false)) == [.stop(2), .wait(for: [2])])
    #expect(machine.receive(.ended(2)) == [.linger], "its caller may want to say something")
    #expect(machine.receive(.overdue) == [.exit(code: 1, atOnce: false)])
  }

  @Test("comes at once with a third signal, and when those that are waited for have had their time")
  func atOnce() {
    var machine = Self.running(1, 2)
    #expect(machine.receive(.left(1, code: 143, atOnce: true)) == [.exit(code: 143, atOnce: true)])
    machine = Self.running(1, 2)
    _ = machine.receive(.left(1, code: 0, atOnce: false))
    #expect(machine.receive(.overdue) == [.exit(code: 0, atOnce: true)])
    #expect(machine.receive(.overdue) == [])
  }

  @Test("A lifecycle that begins after that is told to stop")
  func late() {
    var machine = Self.running(1, 2)
    _ = machine.receive(.left(1, code: 0, atOnce: false))
    #expect(machine.receive(.began(3)) == [.stop(3)])
    #expect(machine.receive(.left(2, code: 0, atOnce: false)) == [.wait(for: [3])])
    #expect(machine.receive(.left(3, code: 0, atOnce: false)) == [.exit(code: 0, atOnce: false)])
  }
}

@Suite("runAndExit() ends what is its own", .timeLimit(.minutes(1)))
struct RunAndExitTests {
  @Test(
    "of two lifecycles the first to end waits for the other, which drains, and says so", .serialized,
    arguments: ["signals", "deaf"])
  func two(mode: String) async throws {
    let program = try ChildProgram("two", [mode])
    #expect(await program.wait(for: "ready\n", on: program.output) != nil)
    program.signal(15)
    let end = try #require(await program.end())
    #expect(end.code == 0, "\(end.errors)")
    #expect(program.printed().contains("slow: drained\n"))
    #expect(end.errors.contains("slow: ran"), "it has its report, too: \(end.errors)")
    #expect(end.errors.contains("graceful: the process exits when slow has ended, too, within 20.0 s\n"))
  }

  @Test("in a process that runs tests it starts nothing, and does not look like success")
  func testRunner() async throws {
    let program = try ChildProgram(
      "two", ["signals"], under: ["/bin/bash", "-c", "exec -a ./shopPackageTests.xctest \"$0\" \"$@\""])
    let end = try #require(await program.end())
    #expect(end.code == 78)
    #expect(end.errors.contains("would end this process, which runs tests (shopPackageTests.xctest)"), "\(end.errors)")
    #expect(!program.printed().contains("ready"))
  }

  @Test("A test runner is known by its name; the child process of an exit test may be ended")
  func names() {
    let exitTest = Array("PATH=/bin\0SWT_EXIT_TEST_ID=1\0".utf8)
    for name in ["/x/shopPackageTests.xctest", "shop-test-runner", "/usr/bin/xctest", "swiftpm-testing-helper"] {
      #expect(TestRunner.name(of: name, environment: Array("A=SWT_EXIT_TEST_ID=\0".utf8)) != nil)
      #expect(TestRunner.name(of: name, environment: exitTest) == nil)
    }
    for name in ["/x/shop", "xctest-proxy", "", "/x.xctest/shop"] {
      #expect(TestRunner.name(of: name, environment: []) == nil, "\(name)")
    }
  }

  @Test("In an exit test it ends the process that is there for it")
  func exitTest() async {
    await #expect(processExitsWith: .exitCode(1)) {
      let shop = Lifecycle("shop")
      shop.phase("web") { _ in throw CancellationError() }
      await shop.runAndExit(on: .signals)
    }
  }
}
