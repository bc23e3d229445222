import CGracefulSystem
import Foundation
import GracefulProcesses
import Testing
import WholeMachine

/// What the commands that stop say when something comes between.
@Suite("Stop commands when something comes between", .wholeMachine, .serialized, .timeLimit(.minutes(3)))
struct StopCommandAnswersTests {
  private func isThere(_ path: String) -> Bool {
    var status = cgs_file_status()
    return cgs_link_status(path, &status) == 0
  }

  @Test("a control socket of its own is gone with its process", arguments: [true, false])
  func ownSocket(clean: Bool) async throws {
    let options = clean ? ["free"] : ["grace=300"]
    let directory = try TestDirectory()
    let program = try ToolProcess(
      ["socket=\(directory.path("h"))", "control=\(directory.path("c"))"] + options,
      executable: "HTTPStoppedProgram", in: directory)
    #expect(await eventually { self.isThere(directory.path("c")) }, "\(program.errors)")
    let stop = try await CommandRun(["stop", "--socket", directory.path("c")], in: directory)
    #expect(stop.status == .exited(0), "\(stop.errors)")
    #expect(await program.end() == .exited(clean ? 0 : 124), "\(program.errors)")
    #expect(!isThere(directory.path("c")) && !isThere(directory.path("h")))
  }
}
