import Foundation
import GracefulDescriptors
import GracefulProcesses
import TestHost
import Testing

/// The short form of `scripts/stop-under-load`: a stop by each of the ways, under load, with nothing lost.
@Suite("graceful rehearse --stop", .sharing(.processors), .timeLimit(.minutes(5)))
struct RehearseStopTests {
  /// A way to stop the demo, with what the demo needs for it.
  struct Way: CustomTestStringConvertible {
    var testDescription: String
    /// With `@here` for a directory of the test.
    var stop: String
    var demo: [String] = []
    var load: [String] = []

    static let all = [
      Way(testDescription: "a signal", stop: "signal:TERM"),
      Way(
        testDescription: "HTTP", stop: "command:@graceful stop --url unix:@here/http", demo: ["--http", "@here/http"]),
      Way(testDescription: "files", stop: "command:TMPDIR=@here @stop", demo: ["--stop-files", "@here"]),
      Way(testDescription: "the control socket", stop: "command:@graceful stop --socket @here/s"),
      // As a preStop hook and the kubelet: the signal comes while requests are in flight, and joins.
      Way(
        testDescription: "files, and SIGTERM while it drains",
        stop: "command:TMPDIR=@here @stop & sleep 0.1; kill -TERM {pid}; wait $!",
        demo: ["--stop-files", "@here", "--response-delay", "400ms"], load: ["--steady", "1s"]),
    ]
  }

  @Test("loses nothing when it stops the demo", .serialized, arguments: Way.all)
  func loses(way: Way) async throws {
    let directory = try TestDirectory()
    let programs = [
      "@graceful": try ToolProcess.built("graceful").path, "@stop": try ToolProcess.built("stop").path,
      "@here": directory.path("").dropLastSlash,
    ]
    func filled(_ text: String) -> String {
      programs.reduce(text) { $0.replacingOccurrences(of: $1.key, with: $1.value) }
    }
    let tool = try ToolProcess(
      [
        "rehearse", "--json", "-", "--connections", "8", "--restarts", "2", "--steady", "300ms", "--interval", "300ms",
        "--stop", filled(way.stop),
      ] + way.load
        + ["--", "graceful", "demo", "--socket", filled("@here/s")]
        + way.demo.map(filled), in: directory)
    #expect(await tool.end(within: .seconds(90)) == .exited(0), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    #expect(report.verdict == "passed" && report.failed.isEmpty, "\(tool.errors)")
    #expect(report.stopOutcomes == ["stopped", "stopped"] && report.stopCodes == [0, 0], "\(tool.errors)")
    #expect(report.commandCodes.allSatisfy { $0 == 0 }, "\(tool.errors)")
    #expect(report.sumsHold && report.turnedAway == report.turnedAwayByStops)
    #expect(report.answered > 0 && report.endedAfter.count == 2)
  }

  /// In a PID namespace of its own: elsewhere others take the number before the server does.
  @Test(
    "takes a new server for what it is although it has the number of the one before",
    .enabled(if: access(RehearseStopTests.lastPID, W_OK) == 0, "only root chooses the number of the next process"),
    .enabled(if: Namespace.isPermitted(Namespace.ofProcesses)))
  func sameNumber() async throws {
    let directory = try TestDirectory()
    // The number is free when the rehearsal has reaped its process; then it is the next one.
    let stop = """
      kill -TERM {pid}; while kill -0 {pid} 2>/dev/null; do :; done; echo $(({pid} - 1)) >\(Self.lastPID)
      """
    let tool = try ToolProcess(
      Namespace.ofProcesses + [
        "/bin/sh", "-c", "\"$0\" \"$@\"; exit $?",
        try ToolProcess.built("graceful").path, "rehearse", "--json", "-", "--connections", "2", "--restarts", "4",
        "--steady", "100ms", "--interval", "100ms",
        "--stop", "command:\(stop)", "--", "graceful", "demo", "--socket", directory.path("s"),
      ], executable: Namespace.unshare, in: directory)
    #expect(await tool.end(within: .seconds(90)) == .exited(0), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    #expect(report.stopCodes == [0, 0, 0, 0] && report.endedAfter.count == 4, "\(tool.errors)")
    #expect(report.endedAfter.allSatisfy { $0 > 0 && $0 < 10_000 }, "\(report.endedAfter)")
    // A command of the rehearsal may have come first, but not each time.
    #expect(Set(report.stopPids).count < 4, "\(report.stopPids)")
  }

  static let lastPID = "/proc/sys/kernel/ns_last_pid"

  /// Below those of outgoing connections: while no server listens, a client could be connected with itself there.
  private func lowPort() throws -> UInt16 {
    for _ in 0..<64 {
      let address = ListenAddress(host: "127.0.0.1", port: .random(in: 10_240..<32_768))
      do throws(SystemError) {
        _ = try address.listen()
        return address.port
      } catch {
        // Taken.
      }
    }
    throw CocoaError(.fileWriteUnknown)
  }

  @Test("says so when a server loses what is in flight at a stop")
  func lossy() async throws {
    let directory = try TestDirectory()
    let port = try lowPort()
    // It ends at once, and with 0, whatever is in flight.
    let demo =
      "\(try ToolProcess.built("graceful").path) demo --listen 127.0.0.1:\(port) --socket \(directory.path("s"))"
    let server = "trap 'kill -9 $!; wait $!; exit 0' TERM; \(demo) --response-delay 200ms >/dev/null 2>&1 & wait"
    let tool = try ToolProcess(
      [
        "rehearse", "--json", "-", "--connections", "8", "--restarts", "2", "--steady", "1s", "--interval", "1s",
        "--stop", "signal:TERM", "--url", "http://127.0.0.1:\(port)/", "--", "sh", "-c", server,
      ], in: directory)
    #expect(await tool.end(within: .seconds(90)) == .exited(1), "\(tool.errors)")
    let report = try RehearsalReport(tool.output)
    #expect(report.stopCodes == [0, 0] && report.sumsHold)
    #expect(!report.failed.isEmpty)
  }
}

extension String {
  fileprivate var dropLastSlash: String { hasSuffix("/") ? String(dropLast()) : self }
}
