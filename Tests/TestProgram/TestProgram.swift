/// The programs that tests start, in one executable: each one more would have to be linked.
///
///     TestProgram NAME [ARGUMENT]...
///
/// What has the name `demo` is started by the name of `graceful`, too: through a link that is called so.
@main
struct TestProgram {
  /// What follows the name.
  static let arguments = Array(CommandLine.arguments.dropFirst(2))

  static func main() async throws {
    switch CommandLine.arguments.dropFirst().first {
    case "blocked": await BlockedProgram.main()
    case "demo": try await RestartableServer.main()
    case "first-process": await FirstProcessProgram.main()
    case "foreign": try await ForeignProgram.main()
    case "handover-peer": try HandoverPeer.main()
    case "http-stopped": try await HTTPStoppedProgram.main()
    case "planned": await PlannedProgram.main()
    case "restarting": await RestartingProgram.main()
    case "starting": await StartingProgram.main()
    case "stoppable": await StoppableProgram.main()
    case "two": await TwoLifecycles.main()
    default: throw UnknownProgram()
    }
  }

  struct UnknownProgram: Error {}
}
