internal import CThreadSanitizer
public import Testing

extension Trait where Self == ConditionTrait {
  /// A test whose body runs in a process of its own (`processExitsWith:`).
  ///
  /// Left out under the thread sanitizer: there so many of the tests' children wait to be reaped at any time that Swift
  /// Testing's thread, which looks at the first of all of them (waitid(2), `P_ALL` with `WNOWAIT`), may never come to the
  /// process of this test.
  public static var inOwnProcess: Self {
    .disabled(if: cts_is_watching(), "its process may not be seen to end")
  }
}
