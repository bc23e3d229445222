import Graceful
import Logging

/// A phase of a lifecycle that runs, with a bench in its task.
struct OpenPhase: Sendable {
  let phase: Phase
  private let bench: Workbench
  private let lifecycle: Lifecycle
  private let run: Task<LifecycleReport, Never>

  static func open() async -> OpenPhase {
    let bench = Workbench()
    let lifecycle = Lifecycle("benchmark", logger: Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() })
    let (phases, arrived) = AsyncStream.makeStream(of: Phase.self)
    lifecycle.phase("web") { phase in
      phase.ready()
      arrived.yield(phase)
      await bench.serve()
    }
    let run = Task { await lifecycle.run() }
    var iterator = phases.makeAsyncIterator()
    guard let phase = await iterator.next() else { fatalError("the phase did not start") }
    return OpenPhase(phase: phase, bench: bench, lifecycle: lifecycle, run: run)
  }

  /// A phase that takes nothing new any more.
  static func draining() async -> OpenPhase {
    let open = await open()
    open.lifecycle.requestStop()
    await open.phase.turnToStop()
    return open
  }

  /// In the task of the phase.
  func inside<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await bench.run(work)
  }

  func close() async {
    bench.close()
    _ = await run.value
  }
}
