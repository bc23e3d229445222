import Benchmark

/// Runs pieces of work in the task of a phase or of a service, where each finds what it looks for through the task.
final class Workbench: Sendable {
  private let jobs: AsyncStream<@Sendable () async -> Void>
  private let queue: AsyncStream<@Sendable () async -> Void>.Continuation

  init() { (jobs, queue) = AsyncStream.makeStream() }

  /// In the task of the phase or the service, until it is closed.
  func serve() async { for await job in jobs { await job() } }

  func run<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      queue.yield {
        do { continuation.resume(returning: try await work()) } catch { continuation.resume(throwing: error) }
      }
    }
  }

  func close() { queue.finish() }
}
