import Testing

/// Looks again until `condition` holds; for what cannot be awaited.
func poll(limit: Duration = .seconds(20), _ condition: () throws -> Bool) async throws {
  let deadline = ContinuousClock.now + limit
  while try !condition() {
    try #require(ContinuousClock.now < deadline, "what was awaited did not come")
    await Task.yield()
  }
}
