import Foundation
import GracefulProcesses
import TestHost
import Testing

@Suite("Stop and status of a lifecycle in a lifecycle", .sharing(.processors), .timeLimit(.minutes(2)))
struct NestedCommandTests {
  @Test("names have that of the phase that holds it before them, at the control socket and over HTTP")
  func names() async throws {
    let directory = try TestDirectory()
    let (control, http) = (directory.path("c"), directory.path("h"))
    let program = try ToolProcess(
      ["http-stopped", "control=\(control)", "socket=\(http)", "nested"], executable: "TestProgram", in: directory)
    let endpoint = EndpointClient(place: .socket(http))
    let ways = [["--socket", control], ["--url", "unix:\(http)"]]
    for way in ways {
      let status = try await CommandRun.status(way, in: directory) { $0.contains("\n  shop/web  starting") }
      #expect(status.output.contains("stoppable: starting"), "\(status.output)")
    }
    program.child.signal(SIGUSR1)
    #expect(await endpoint.answers("GET /readyz", 200))
    for way in ways {
      let status = try await CommandRun(["status"] + way, in: directory)
      #expect(status.output.contains("stoppable: running"), "\(status.output)")
      #expect(status.output.contains("\n  shop ") && status.output.contains("\n  shop/web  ready"), "\(status.output)")
    }
    let late = try await CommandRun(["stop", "--socket", control, "--timeout", "3s"], in: directory)
    #expect(late.status == .exited(124))
    #expect(late.errors.contains("phase shop/web, draining"), "\(late.errors)")
    let lateByURL = try await CommandRun(["stop", "--url", "unix:\(http)", "--timeout", "3s"], in: directory)
    #expect(lateByURL.status == .exited(124))
    #expect(lateByURL.errors.contains("shop/web"), "\(lateByURL.errors)")
    // It does not hear that it is cancelled, and is given up after 2 s.
    let now = try await CommandRun(["stop", "--socket", control, "--now", "--timeout", "1500ms"], in: directory)
    #expect(now.status == .exited(124) && now.errors.contains("phase shop/web, cancelled"), "\(now.errors)")
    program.child.signal(SIGUSR2)
    #expect(await program.end() != nil)
    #expect(program.errors.contains("shop/web"), "\(program.errors)")
  }
}
