/// Stands for a real one: it takes a while to write, and cannot be written to when it is closed.
actor Database {
  private var isOpen = false
  private var rows: [String] = []

  struct Closed: Error {}

  func open() { isOpen = true }

  func write(_ row: String) async throws {
    try await Task.sleep(for: .milliseconds(10))
    guard isOpen else { throw Closed() }
    rows.append(row)
  }

  /// - Returns: How many rows have been written.
  func close() -> Int {
    isOpen = false
    return rows.count
  }
}
