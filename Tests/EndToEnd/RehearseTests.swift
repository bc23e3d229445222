import Foundation
import GracefulDescriptors
import GracefulProcesses
import TestHost
import Testing

@Suite("The rehearsal as a command", .sharing(.processors), .timeLimit(.minutes(5)))
struct RehearseTests {
  /// Short, and with few clients: what it sees is tested here, not how much it bears.
  private static let brief = ["--steady", "300ms", "--interval", "300ms", "--connections", "8"]

  private func rehearse(_ arguments: [String], in directory: TestDirectory) throws -> ToolProcess {
    try ToolProcess(["rehearse", "--json", "-"] + Self.brief + arguments, in: directory)
  }

  @Test(
    "a demo that is restarted loses nothing, whichever way it is restarted", .serialized,
    arguments: ["start-again", "signal:HUP"])
  func nothingLost(restart: String) async throws {
    let directory = try TestDirectory()
    let tool = try rehearse(["--restarts", "3", "--restart", restart], in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(0), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    #expect(report.verdict == "passed")
    #expect(report.outcomes == ["served", "served", "served"])
    #expect(report.generations == [2, 3, 4])
    #expect(report.sumsHold && report.failed.isEmpty && report.answered > 100)
    #expect(report.oldExitCodes == [0, 0, 0])
  }

  @Test("a successor that is killed before it is ready costs nothing, and half of the restarts succeed")
  func killedBeforeReady() async throws {
    let directory = try TestDirectory()
    let tool = try rehearse(["--restarts", "4", "--fault", "kill-before-ready", "--verbose"], in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(0), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    #expect(report.outcomes == ["served", "failed", "served", "failed"])
    #expect(report.sumsHold && report.failed.isEmpty)
    #expect(tool.errors.components(separatedBy: "the successor failed; serving on").count == 3)
  }

  @Test("a successor that hangs before it is ready costs nothing: it is given up, killed, and not left over")
  func hangsBeforeReady() async throws {
    let directory = try TestDirectory()
    let tool = try rehearse(["--restarts", "2", "--fault", "hang-before-ready", "--verbose"], in: directory)
    #expect(await tool.end(within: .seconds(90)) == .exited(0), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    #expect(report.outcomes == ["served", "gaveUp"])
    #expect(report.leftOver == [])
    #expect(report.sumsHold && report.failed.isEmpty)
    #expect(tool.errors.components(separatedBy: "the successor is given up; serving on").count == 2, "\(tool.errors)")
    for pid in report.pids { #expect(!Observed.lives(Int32(pid))) }
  }

  /// What a faulty server counts itself, and under which name the rehearsal must have the same number.
  struct Fault: CustomTestStringConvertible {
    var option: String
    var tally: String
    var seen: String
    var testDescription: String { option }

    static let all = [
      Fault(option: "--close-every", tally: "close", seen: "closedBeforeByte"),
      Fault(option: "--reset-every", tally: "reset", seen: "reset"),
      Fault(option: "--cut-every", tally: "cut", seen: "cutShort"),
      Fault(option: "--delay-every", tally: "delay", seen: "timedOut"),
      Fault(option: "--bad-status-every", tally: "badStatus", seen: "badStatus"),
      Fault(option: "--wrong-body-every", tally: "wrongBody", seen: "wrongBody"),
    ]
  }

  @Test(
    "reports exactly what a server did wrong that fails on purpose and counts it", .serialized, arguments: Fault.all)
  func countsExactly(fault: Fault) async throws {
    let directory = try TestDirectory()
    let port = try FreePort.take()
    let tally = directory.path("tally")
    // A late answer costs its client five seconds: few of them.
    let isSlow = fault.option == "--delay-every"
    let tool = try rehearse(
      ["--restarts", "1", "--restart", "command:true", "--trust-restart", "--url", "http://127.0.0.1:\(port)/", "--"]
        + [
          try ToolProcess.built("FaultyServer").path, "--listen", "127.0.0.1:\(port)", fault.option,
          isSlow ? "150" : "50", "--tally", tally, "--spare", "probe",
        ] + (isSlow ? ["--delay", "7s"] : []), in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(1), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    let counted = try Tally(directory.read("tally"))
    #expect(counted.faults[fault.tally, default: 0] > 0)
    #expect(report.failed == [fault.seen: counted.faults[fault.tally, default: -1]], "\(report.failed) \(counted)")
    #expect(report.sumsHold)
    // The server saw what was sent, and what it answered was counted as answered; a late answer came too late for that.
    #expect(report.requests == counted.received, "\(report.requests) \(counted)")
    #expect(report.answered == counted.received - counted.faults[fault.tally, default: 0])
  }

  @Test("closes that lose nothing are counted apart, and are no failure")
  func announcedCloses() async throws {
    let directory = try TestDirectory()
    let port = try FreePort.take()
    let tool = try rehearse(
      ["--restarts", "1", "--restart", "command:true", "--trust-restart", "--mode", "keepalive"]
        + ["--url", "http://127.0.0.1:\(port)/", "--", try ToolProcess.built("FaultyServer").path]
        + [
          "--listen", "127.0.0.1:\(port)", "--announce-close-every", "20", "--tally", directory.path("tally"),
          "--spare", "probe",
        ],
      in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(0), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    let counted = try Tally(directory.read("tally"))
    #expect(report.announced == counted.faults["announceClose"], "\(counted)")
    #expect(report.failed.isEmpty && report.modes == ["keepalive"])
  }

  @Test("a server that is killed and started anew is seen to lose requests")
  func killedAndStarted() async throws {
    let directory = try TestDirectory()
    let port = try FreePort.take()
    let demo =
      "\(try ToolProcess.built("graceful").path) demo --listen 127.0.0.1:\(port) --socket \(directory.path("s"))"
    let restart =
      "kill -9 {pid}; (\(demo) >\(directory.path("again")) 2>&1 &); while ! grep -q serving \(directory.path("again")); do :; done"
    let tool = try rehearse(
      [
        "--restarts", "1", "--restart", "command:\(restart)", "--url", "http://127.0.0.1:\(port)/", "--", "sh", "-c",
        "exec \(demo)",
      ],
      in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(1), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    #expect(report.verdict == "failed" && report.sumsHold)
    #expect((report.failed["refused"] ?? 0) > 0, "\(report.failed)")
    #expect(
      await eventually { (try? ListenAddress(host: "127.0.0.1", port: port).listen()) != nil }, "it was left over")
  }

  @Test(
    "what cannot be done is told apart from what was lost, and from a wrong command line", .serialized,
    arguments: [
      (["--bogus"], Int32(64), "Unknown option"), (["--mode", "sometimes"], 64, "mode"),
      (["--restarts", "-1"], 64, "restarts"), (["--connections", "-1"], 64, "connections"),
      (["--restart", "signal:NOPE"], 64, "NOPE"), (["--interval", "soon"], 64, "interval"),
      (["--", "sleep", "1"], 64, "--url"),
      (["--url", "http://127.0.0.1:1/", "--fault", "kill-before-ready", "--", "sleep", "1"], 64, "fault"),
      (["--url", "nonsense", "--", "sleep", "1"], 64, "url"),
      (["--url", "http://127.0.0.1:1/", "--", "/nonexistent/server"], 2, "No such file"),
      (["--url", "http://127.0.0.1:1/", "--", "false"], 2, "ended"),
      (["--url", "http://127.0.0.1:1/", "--", "true"], 2, "it exited with code 0 before it answered"),
      (["--json", "/nonexistent/report"], 2, "/nonexistent/report"),
      (["--json", "/"], 2, "directory"),
    ])
  func cannotBeDone(_ arguments: [String], code: Int32, says: String) async throws {
    let directory = try TestDirectory()
    let tool = try ToolProcess(["rehearse", "--steady", "300ms"] + arguments, in: directory)
    #expect(await tool.end(within: .seconds(60)) == .exited(code), "\(tool.errors)")
    #expect((tool.errors + tool.output).contains(says), "\(tool.errors) \(tool.output)")
  }

  @Test("Ctrl-C ends it and everything that it has started")
  func interrupted() async throws {
    let directory = try TestDirectory()
    let tool = try ToolProcess(["rehearse", "--steady", "1m"], in: directory)
    #expect(await eventually { !Observed.children(of: tool.pid).isEmpty })
    let server = try #require(Observed.children(of: tool.pid).first)
    tool.child.signal(SIGINT)
    #expect(await tool.end(within: .seconds(30)) == .exited(2), "\(tool.errors)")
    #expect(!Observed.lives(server))
  }
}

/// What the faulty server says of itself at the end.
private struct Tally {
  var received: Int
  var faults: [String: Int]

  init(_ text: String) throws {
    let json = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
    received = try #require(json["received"] as? Int)
    faults = try #require(json["faults"] as? [String: Int])
  }
}
