import CGracefulSystem
import Exploration
import Graceful
import GracefulShutdown
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Synchronization
import UnixSignals

/// Does with swift-service-lifecycle or with Graceful what may hang: in a process of its own, which can be killed.
///
///     TestProgram foreign CASE group|testkit|graceful
///
/// It says on standard output how far it came.
enum ForeignProgram {
  static func main() async throws {
    let arguments = TestProgram.arguments
    switch arguments.joined(separator: " ") {
    case "late-handler group": try await LateHandler.inGroup()
    case "late-handler graceful": await LateHandler.inPhase()
    case "pulled-inside testkit": await PulledInside.byTrigger()
    case "pulled-inside graceful": await PulledInside.byRequest()
    case "blocked group": try await Blocked.inGroup()
    case "blocked graceful": await Blocked.inPhase()
    case "stuck group": try await Stuck.inGroup()
    case "stuck graceful": await Stuck.inPhase()
    case "deaf group": try await Deaf.inGroup()
    case "deaf graceful": await Deaf.inPhase()
    default: say("unknown: \(arguments)")
    }
  }

  static func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = cgs_write(1, bytes, bytes.count)
  }

  static let logger = Logger(label: "foreign") { _ in SwiftLogNoOpLogHandler() }
}

/// What one closure does, as a service.
struct ClosureOfOurs: Service {
  let work: @Sendable () async throws -> Void
  func run() async throws { try await work() }
}

/// A handler that is registered when the shutdown has begun, and asks whether it has.
enum LateHandler {
  static func inGroup() async throws {
    let service = ClosureOfOurs {
      try await gracefulShutdown()
      await withGracefulShutdownHandler {
      } onGracefulShutdown: {
        readFlag()
      }
    }
    let group = ServiceGroup(services: [service], logger: ForeignProgram.logger)
    await group.triggerGracefulShutdown()
    try await group.run()
    ForeignProgram.say("ended")
  }

  static func inPhase() async {
    let program = Lifecycle("late", logger: ForeignProgram.logger)
    program.phase("only") { phase in
      phase.ready()
      program.requestStop()
      await phase.turnToStop()
      await phase.withHandler(at: .drain) {
        readFlag()
      } operation: {
        // Until the handler has run: it is called on a thread of its own.
        await handlerRan.wait()
      }
    }
    _ = await program.run()
    ForeignProgram.say("ended")
  }

  static let handlerRan = Opening()

  static func readFlag() {
    ForeignProgram.say("reading")
    ForeignProgram.say("flag \(Task.isShuttingDownGracefully)")
    handlerRan.open()
  }
}

/// A handler that asks whether the shutdown has begun, which was begun by the very code that it is around.
enum PulledInside {
  static func byTrigger() async {
    await testGracefulShutdown { trigger in
      await withGracefulShutdownHandler {
        trigger.triggerGracefulShutdown()
      } onGracefulShutdown: {
        LateHandler.readFlag()
      }
    }
    ForeignProgram.say("ended")
  }

  static func byRequest() async {
    let program = Lifecycle("inside", logger: ForeignProgram.logger)
    program.phase("only") { phase in
      phase.ready()
      await withGracefulShutdownHandler {
        program.requestStop()
        await LateHandler.handlerRan.wait()
      } onGracefulShutdown: {
        LateHandler.readFlag()
      }
    }
    _ = await program.run()
    ForeignProgram.say("ended")
  }
}

/// A service that hears and does not end.
enum Stuck {
  static let service = ClosureOfOurs {
    await withGracefulShutdownHandler {
      ForeignProgram.say("running")
      await Opening().wait()
    } onGracefulShutdown: {
      ForeignProgram.say("told")
    }
  }

  static func inGroup() async throws {
    let group = ServiceGroup(
      services: [service], gracefulShutdownSignals: [.sigterm], logger: ForeignProgram.logger)
    try await group.run()
  }

  static func inPhase() async {
    let program = Lifecycle("stuck", grace: .seconds(60), logger: ForeignProgram.logger)
    program.phase("only", service: service)
    await program.runAndExit(on: .signals)
  }
}

/// A service that blocks every thread of the pool until its handler is called.
enum Blocked {
  private static let isFree = Atomic(false)
  private static let runs = Atomic(0)

  static let service = ClosureOfOurs {
    await withGracefulShutdownHandler {
      for _ in 0..<256 { Task.detached { block() } }
      _ = cgs_thread_start("watcher", { _ in Blocked.sayWhenBlocked() }, nil)
      block()
    } onGracefulShutdown: {
      ForeignProgram.say("told")
      isFree.store(true, ordering: .releasing)
    }
  }

  private static func block() {
    while !isFree.load(ordering: .acquiring) { _ = cgs_poll(nil, 0, 10) }
  }

  private static func sayWhenBlocked() {
    // A task that has run within 200 ms found a free thread.
    var before = -1
    while before != runs.load(ordering: .relaxed) {
      before = runs.load(ordering: .relaxed)
      Task.detached { runs.add(1, ordering: .relaxed) }
      _ = cgs_poll(nil, 0, 200)
    }
    ForeignProgram.say("blocked")
  }

  static func inGroup() async throws {
    let group = ServiceGroup(
      services: [service], gracefulShutdownSignals: [.sigterm], logger: ForeignProgram.logger)
    try await group.run()
  }

  static func inPhase() async {
    let program = Lifecycle("blocked", grace: .seconds(60), logger: ForeignProgram.logger)
    program.phase("only", service: service)
    await program.runAndExit(on: .signals)
  }
}
