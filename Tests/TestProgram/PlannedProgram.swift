import Foundation
import Graceful
import Logging
import ServiceLifecycle

/// A lifecycle of any graph in which no phase does what it is told: each has a session that never ends, and ignores its stop
/// and its cancellation, so that a stop takes as long as it can.
///
///     TestProgram planned GRACE [NAME:LIMIT:REQUIRES]...
///     TestProgram planned --plan FILE
///     TestProgram planned --group GRACE [NAME:LIMIT:REQUIRES]...
///
/// The grace and the limits are seconds; an empty limit is none. What it requires are names with commas between them, which
/// may come later. With a file, the graph is that of a plan that another program has printed (`GRACEFUL_PLAN=json`). It says
/// what it does, on standard output, and with `--group` it runs as a service of a group: `trigger` when it listens, `NAME`
/// when that phase is ready.
enum PlannedProgram {
  private struct Plan: Decodable {
    var grace: Double
    var phases: [Phase]
  }

  private struct Phase: Decodable {
    var name: String
    var requires: [String]
    var limit: Double?
  }

  static func main() async {
    let isInGroup = TestProgram.arguments.first == "--group"
    guard let plan = plan(TestProgram.arguments.dropFirst(isInGroup ? 1 : 0)) else {
      say("usage: planned GRACE [NAME:LIMIT:REQUIRES]... | planned --plan FILE")
      exit(64)
    }
    let program = Lifecycle("planned", grace: .seconds(plan.grace))
    for phase in plan.phases {
      program.phase(
        phase.name, requires: phase.requires.map { PhaseHandle($0) }, limit: phase.limit.map { .seconds($0) }
      ) { phase in
        let session = try phase.beginSession("never ends")
        phase.ready()
        // Not before: a stop refuses the session, and then the phase has failed.
        say(phase.name)
        await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
        session.end()
      }
    }
    let listening = Trigger("line") { _ in
      say("trigger")
      return {}
    }
    guard isInGroup else { await program.runAndExit(on: .signals, listening) }
    let logger = Logger(label: "group")
    do {
      try await ServiceGroup(services: [program.service(on: listening)], logger: logger).run()
    } catch {
      say("the group failed: \(error)")
      exit(1)
    }
  }

  /// At once, also into a pipe.
  private static func say(_ line: String) { FileHandle.standardOutput.write(Data((line + "\n").utf8)) }

  private static func plan(_ arguments: ArraySlice<String>) -> Plan? {
    if arguments.first == "--plan" {
      guard let path = arguments.last, let data = FileManager.default.contents(atPath: path) else { return nil }
      return try? JSONDecoder().decode(Plan.self, from: data)
    }
    guard let grace = arguments.first.flatMap(Double.init) else { return nil }
    let phases = arguments.dropFirst().map { argument in
      let parts = argument.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      return Phase(
        name: parts[0], requires: parts.count > 2 ? parts[2].split(separator: ",").map(String.init) : [],
        limit: parts.count > 1 ? Double(parts[1]) : nil)
    }
    return Plan(grace: grace, phases: phases)
  }
}
