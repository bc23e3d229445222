internal import CThreadSanitizer
internal import Dispatch
public import Testing

/// A suite that keeps its thread, and runs on one of its own: it reckons for seconds without a pause, or it blocks until
/// something has happened.
///
/// The threads of Swift's pool are as many as there are cores, and tests of all targets share them: two that keep theirs
/// would keep everybody else from running at all, also those that hold a limit against the clock. With its own thread, the
/// system divides the cores between it and the pool.
public struct OffThePoolTrait: SuiteTrait, TestTrait, TestScoping {
  fileprivate let isOfValuesOnly: Bool

  /// Each of its tests, not the suite as a whole.
  public var isRecursive: Bool { true }

  /// Leaves out what is of values only where the thread sanitizer watches: it would find nothing, and take minutes.
  public func prepare(for test: Test) async throws {
    guard isOfValuesOnly else { return }
    let condition: ConditionTrait =
      .disabled(if: cts_is_watching(), "values only: there is nothing that could race")
    try await condition.prepare(for: test)
  }

  /// Runs the test on the thread for those that keep theirs, one at a time.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ReckoningThread.shared) { try await function() }
  }
}

extension Trait where Self == OffThePoolTrait {
  /// It walks through what a value can do, without time and I/O: off the pool, and without the thread sanitizer.
  public static var valuesOnly: Self { Self(isOfValuesOnly: true) }
  /// It blocks its thread, which is none of the pool's.
  public static var offThePool: Self { Self(isOfValuesOnly: false) }
}

private final class ReckoningThread: TaskExecutor {
  static let shared = ReckoningThread()

  private let queue = DispatchQueue(label: "graceful.tests.reckoning")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
