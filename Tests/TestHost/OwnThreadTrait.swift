internal import CThreadSanitizer
internal import Dispatch
public import Testing

/// A test that keeps its thread, and runs on one of its own: it reckons for seconds without a pause, or it blocks until
/// something has happened.
///
/// The threads of Swift's pool are as many as there are cores, and tests of all targets share them: two that keep theirs
/// would keep all others from running at all, also those that hold a limit against the clock. With its own thread, the
/// system divides the cores between it and the pool.
public struct OwnThreadTrait: SuiteTrait, TestTrait, TestScoping {
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

  /// Around each case its thread; around all cases, and so outside of their time limits, the turn of those that reckon.
  public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? { test.isSuite ? nil : self }

  /// Runs the test on its thread: those that reckon one at a time, those that wait all at once.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    if testCase != nil {
      try await withTaskExecutorPreference(OwnThread()) { try await function() }
    } else if isOfValuesOnly {
      try await Turns.shared.with(1, of: .reckoning, function)
    } else {
      try await function()
    }
  }
}

extension Trait where Self == OwnThreadTrait {
  /// It walks through what a value can do, without time and I/O: off the pool, and without the thread sanitizer.
  public static var valuesOnly: Self { Self(isOfValuesOnly: true) }
  /// It blocks its thread, which is none of the pool's.
  public static var offThePool: Self { Self(isOfValuesOnly: false) }
}

private final class OwnThread: TaskExecutor {
  private let queue = DispatchQueue(label: "graceful.tests.own-thread")

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.async { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
  }
}
