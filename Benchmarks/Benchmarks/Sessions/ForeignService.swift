import Logging
import ServiceLifecycle

/// A service of swift-service-lifecycle that runs, with a bench in its task.
struct ForeignService: Sendable {
  private let bench: Workbench
  private let group: ServiceGroup
  private let run: Task<Void, any Error>

  private struct Bench: Service {
    let bench: Workbench

    func run() async throws { await bench.serve() }
  }

  static func open() -> ForeignService {
    let bench = Workbench()
    let group = ServiceGroup(
      configuration: .init(
        services: [
          .init(
            service: Bench(bench: bench), successTerminationBehavior: .gracefullyShutdownGroup)
        ], logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }))
    return ForeignService(bench: bench, group: group, run: Task { try await group.run() })
  }

  /// A service that was told to shut down.
  static func draining() async throws -> ForeignService {
    let open = open()
    await open.group.triggerGracefulShutdown()
    try await open.inside { try await gracefulShutdown() }
    return open
  }

  /// In the task of the service.
  func inside<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await bench.run(work)
  }

  /// The nearest thing to a session: a handler that hears the shutdown while the operation runs.
  static func handlers(_ count: Int) async {
    for _ in 0..<count {
      await withGracefulShutdownHandler {
        await work()
      } onGracefulShutdown: {
      }
    }
  }

  /// The nearest thing to a cancellable one: the operation is in a task that is cancelled at a shutdown.
  static func cancellables(_ count: Int) async {
    for _ in 0..<count { await cancelWhenGracefulShutdown { await work() } }
  }

  func close() async {
    bench.close()
    _ = try? await run.value
  }
}

/// What is done inside: next to nothing, but not so that the compiler sees it.
@inline(never)
nonisolated func work() async {}
