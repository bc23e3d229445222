import Foundation
import GracefulDescriptors
import GracefulProcesses
import TestHost
import Testing

/// A server that is not ours: its master stays at a reload, and replaces its workers.
@Suite(
  "The rehearsal of nginx", .sharing(.processors), .enabled(if: InstalledNginx.path != nil),
  .timeLimit(.minutes(3)))
struct RehearseNginxTests {
  enum Way: String, CaseIterable {
    case command, signalWithPidFile, signalWithoutPidFile, upgrade
  }

  @Test(
    "a reload replaces workers: each is served, the master is neither replaced nor left over", .serialized,
    arguments: [Way.command, .signalWithPidFile, .signalWithoutPidFile])
  func reload(way: Way) async throws {
    let report = try await rehearse(way, restarts: 3)
    #expect(report.outcomes == ["served", "served", "served"])
    #expect(report.oldPids == [], "nobody replaced the master")
    // `nginx -s reload` returns when it has sent its signal: the workers may come a moment after.
    let known = way == .command ? report.pids.count : 3
    #expect(Set(report.pids).count == known, "each brought new workers: \(report.pids)")
  }

  @Test("an upgrade replaces the master, and each master is the old one of the next restart")
  func upgrade() async throws {
    let report = try await rehearse(.upgrade, restarts: 3)
    #expect(report.outcomes == ["served", "served", "served"])
    #expect(Set(report.oldPids).count == 3)
    #expect(report.pids.dropLast() == report.oldPids.dropFirst())
    #expect(report.oldExitCodes == [0, 0, 0])
  }

  /// What holds for each way.
  private func rehearse(_ way: Way, restarts: Int) async throws -> RehearsalReport {
    let directory = try TestDirectory()
    let port = try FreePort.take()
    let nginx = try #require(InstalledNginx.path)
    try configuration(port: port, in: directory)
    let words = [nginx, "-e", directory.path("errors"), "-c", directory.path("nginx.conf")]
    let restart =
      switch way {
      case .command: ["--restart", "command:\(words.joined(separator: " ")) -s reload"]
      case .signalWithPidFile: ["--restart", "signal:HUP", "--pid-file", directory.path("pid")]
      case .signalWithoutPidFile: ["--restart", "signal:HUP"]
      case .upgrade:
        // As nginx's manual has it; the file has the new master's number as soon as that one runs.
        [
          "--pid-file", directory.path("pid"), "--restart",
          """
          command:kill -USR2 {pid}; new=; until [ -n "$new" ] && [ "$new" != {pid} ]; do \
          new=$(cat \(directory.path("pid")) 2>/dev/null); done; kill -QUIT {pid}
          """,
        ]
      }
    let tool = try ToolProcess(
      [
        "rehearse", "--json", "-", "--steady", "300ms", "--interval", "500ms", "--connections", "8", "--restarts",
        "\(restarts)", "--url", "http://127.0.0.1:\(port)/",
      ] + restart + ["--"] + words, in: directory)
    let status = await tool.end(within: .seconds(60))
    let report = try RehearsalReport(tool.output)
    // nginx may close a kept connection in a client's face; that is a finding, and nothing else is.
    let lost = report.failed.values.reduce(0, +)
    #expect(status == .exited(lost > 0 ? 1 : 0), "\(tool.errors)")
    #expect(report.verdict == (lost > 0 ? "failed" : "passed"))
    #expect(report.leftOver == [])
    #expect(report.sumsHold && report.answered > 0)
    // The port is free again.
    #expect(await eventually { (try? ListenAddress(host: "127.0.0.1", port: port).listen()) != nil })
    return report
  }

  private func configuration(port: UInt16, in directory: TestDirectory) throws {
    let folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
      .map { "\($0)_temp_path \(directory.path($0));" }.joined(separator: " ")
    let text = """
      worker_processes 2;
      pid \(directory.path("pid"));
      error_log \(directory.path("errors"));
      events { worker_connections 256; }
      http {
        access_log off;
        \(folders)
        server { listen 127.0.0.1:\(port); location / { return 200 "of nginx\\n"; } }
      }
      """
    try Data(text.utf8).write(to: URL(fileURLWithPath: directory.path("nginx.conf")))
  }
}

/// Where nginx is, if it is.
private enum InstalledNginx {
  static let path: String? = {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return (folders.split(separator: ":").map(String.init) + ["/usr/sbin"]).map { "\($0)/nginx" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()
}
