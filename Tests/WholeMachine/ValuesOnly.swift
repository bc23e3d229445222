internal import CThreadSanitizer
internal import Dispatch
public import Testing

/// A suite that walks through what a value can do: no time, no I/O, one thread, and often seconds without a pause.
///
/// It runs on a thread of its own. The threads of Swift's pool are as many as there are cores, and tests of all targets
/// share them: two that reckon would keep everybody else from running at all, also those that hold a limit against the
/// clock. With its own thread, the system divides the cores between it and the pool.
///
/// The thread sanitizer leaves it out: it would find nothing, and take minutes.
public struct ValuesOnlyTrait: SuiteTrait, TestTrait, TestScoping {
  /// Each of its tests, not the suite as a whole.
  public var isRecursive: Bool { true }

  /// Leaves the suite out where the thread sanitizer watches.
  public func prepare(for test: Test) async throws {
    let condition: ConditionTrait =
      .disabled(if: cts_is_watching(), "values only: there is nothing that could race")
    try await condition.prepare(for: test)
  }

  /// Runs the test on the thread for tests that reckon, one at a time.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ReckoningThread.shared) { try await function() }
  }
}

extension Trait where Self == ValuesOnlyTrait {
  /// It walks through what a value can do: on a thread of its own, and without the thread sanitizer.
  public static var valuesOnly: Self { Self() }
}

/// A suite that blocks its thread until something has happened: on a thread of its own, for the same reason.
public struct OffThePoolTrait: SuiteTrait, TestTrait, TestScoping {
  /// Each of its tests, not the suite as a whole.
  public var isRecursive: Bool { true }

  /// Runs the test on the thread for tests that block or reckon, one at a time.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(ReckoningThread.shared) { try await function() }
  }
}

extension Trait where Self == OffThePoolTrait {
  /// It blocks its thread, which is none of the pool's.
  public static var offThePool: Self { Self() }
}

private final class ReckoningThread: TaskExecutor {
  static let shared = ReckoningThread()

  private let queue = DispatchQueue(label: "graceful.tests.reckoning")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
