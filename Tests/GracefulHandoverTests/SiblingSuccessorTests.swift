import TestHost
import GracefulProcesses
import Testing

@testable import GracefulHandover

@Suite("Successors that are children of our parent", .serialized, .timeLimit(.minutes(1)))
struct SiblingSuccessorTests {
  /// The number of the process in what was said of a restart that failed.
  private func failed(_ events: [HandoverEvent]) -> ProcessID? {
    for case .restartFailed(let reason) in events.map(\.detail) {
      let words = reason.split(separator: " ")
      if words.count > 1, words[0] == "process", let number = Int32(words[1]) { return ProcessID(rawValue: number) }
    }
    return nil
  }

  private func serve(_ stage: Stage, _ successor: Command, ready: Duration) async throws -> Generation {
    var configuration = stage.configuration("first") { $0.ready = ready }
    configuration.successor = successor
    configuration.isServedByParent = { true }
    let first = Generation(try await Handover.join(configuration))
    try first.listen()
    try await first.ready()
    return first
  }

  @Test("One that hangs is killed when its time is over, and this process serves on") func hangs() async throws {
    let stage = try Stage()
    let first = try await serve(
      stage, Command("/bin/sleep", arguments: ["600"], environment: [:]), ready: .milliseconds(200))
    first.handover.restart()
    try await poll { failed(stage.events(of: "first")) != nil }
    let process = try #require(failed(stage.events(of: "first")))
    let entry = ProcessTable.entry(process)
    #expect(entry == nil || entry?.parent == .parent)
    // A zombie, where the parent of the tests does not ask for its status.
    try await poll { ProcessTable.entry(process)?.isZombie ?? true }
    #expect(first.accepts)
    await first.handover.leave()
  }

  @Test("One that ends at once is known to have, and this process serves on") func ends() async throws {
    let stage = try Stage()
    let first = try await serve(stage, Command("/bin/true", environment: [:]), ready: .seconds(60))
    first.handover.restart()
    try await poll { failed(stage.events(of: "first")) != nil }
    #expect(first.accepts)
    #expect(
      stage.events(of: "first").contains {
        if case .restartFailed(let reason) = $0.detail {
          reason.contains("ended before it asked to take over")
        } else {
          false
        }
      })
    await first.handover.leave()
  }

  @Test(
    "The parent is the service manager when it is process 1 or the user's, and NOTIFY_SOCKET is set",
    arguments: [
      (["NOTIFY_SOCKET": "/run/n"], 1, true), (["NOTIFY_SOCKET": ""], 1, false), ([:], 1, false),
      (["NOTIFY_SOCKET": "@n", "MANAGERPID": "812"], 812, true),
      (["NOTIFY_SOCKET": "@n", "MANAGERPID": "812"], 813, false),
      (["NOTIFY_SOCKET": "@n"], 812, false), (["MANAGERPID": "812"], 812, false), (["NOTIFY_SOCKET": "@n"], 0, false),
    ] as [([String: String], Int32, Bool)])
  func serviceManager(environment: [String: String], parent: Int32, expected: Bool) {
    #expect(ServiceManager.isParent(environment: environment, parent: ProcessID(rawValue: parent)) == expected)
  }
}
