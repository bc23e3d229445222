public import Testing

/// A test that waits for its turn to use what all tests share.
///
/// It waits before its time limit begins: the limit is for the test, not for those before it.
public struct HostResourceTrait: SuiteTrait, TestTrait, TestScoping {
  fileprivate let resource: HostResource
  fileprivate let places: Int

  /// Each test of a suite has a turn of its own.
  public var isRecursive: Bool { true }

  /// Around all cases of a test: around one, it would be inside of its time limit.
  public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
    testCase == nil && !test.isSuite ? self : nil
  }

  /// Waits for its turn, runs the test, and passes the turn on.
  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await Turns.shared.with(places, of: resource, function)
  }
}

extension Trait where Self == HostResourceTrait {
  /// One test with this trait at a time, and none beside it that shares the resource.
  public static func exclusive(_ resource: HostResource) -> Self { Self(resource: resource, places: resource.places) }

  /// As many tests with this trait at a time as the resource has places.
  public static func sharing(_ resource: HostResource) -> Self { Self(resource: resource, places: 1) }
}
