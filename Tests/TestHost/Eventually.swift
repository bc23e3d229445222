internal import Dispatch
public import Testing

/// Looks every two milliseconds until the condition holds; for what cannot be awaited.
///
/// Between two looks the thread is free: tests that only yield would keep both cores busy, and starve what they wait for.
/// Also in a task that is cancelled: what is under test often is.
///
/// - Parameter limit: 60 s unless said otherwise: it is for a hang, not for a machine that is slow.
/// - Returns: Whether it held within the limit.
@discardableResult
public func eventually(
  within limit: Duration = .seconds(60), isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async rethrows -> Bool {
  let deadline = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < deadline else { return false }
    await withCheckedContinuation { next in
      moments.asyncAfter(deadline: .now() + .milliseconds(2)) { next.resume() }
    }
  }
  return true
}

/// The same, for what must come: its absence is an issue, and ends the test.
public func poll(
  _ what: Comment = "what was awaited did not come", limit: Duration = .seconds(60),
  isolation: isolated (any Actor)? = #isolation, sourceLocation: SourceLocation = #_sourceLocation,
  _ condition: () async throws -> Bool
) async throws {
  let came = try await eventually(within: limit, condition)
  try #require(came, what, sourceLocation: sourceLocation)
}

private let moments = DispatchQueue(label: "graceful.tests.moments")
