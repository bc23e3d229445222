internal import Foundation
public import Testing

extension Trait where Self == ConditionTrait {
  /// A test whose body runs in a process of its own (`processExitsWith:`): in a run of its own, as `.ci/run` has it.
  ///
  /// Beside other tests, so many of their children wait to be reaped that Swift Testing's thread, which looks at the first of
  /// all of them (waitid(2), `P_ALL` with `WNOWAIT`), may not come to the process of this test within a minute.
  public static var inOwnProcess: Self {
    .enabled(if: ProcessInfo.processInfo.environment["GRACEFUL_EXIT_TESTS"] != nil, "runs by itself: see .ci/run")
  }
}
