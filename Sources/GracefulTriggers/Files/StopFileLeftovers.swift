/// What is left when a process ends before its answer has its name: `process.stopped.PID.RANDOM.tmp`.
enum StopFileLeftovers {
  /// Longer than any process waits for its last words.
  private static let age: Int64 = 10_000_000_000

  /// The name under which an answer is written.
  static func name(ofAnswer answer: String, process: Int32) -> String {
    "\(answer).\(process).\(UInt32.random(in: .min ... .max)).tmp"
  }

  /// Removes those of our user that no process writes to any more.
  static func remove(_ files: StopFiles, user: UInt32) {
    for name in files.calls.entries(files.directory, files.answer + ".") where isOne(name, ofAnswer: files.answer) {
      let path = files.path(of: name)
      guard case .found(let status) = files.calls.status(path), status.kind == .file, status.user == user,
        files.calls.wallClock() - status.changed > age
      else { continue }
      _ = files.calls.unlink(path)
    }
  }

  static func isOne(_ name: String, ofAnswer answer: String) -> Bool {
    guard name.hasPrefix(answer + "."), name.hasSuffix(".tmp") else { return false }
    let numbers = name.dropFirst(answer.count + 1).dropLast(4).split(separator: ".", omittingEmptySubsequences: false)
    return numbers.count == 2 && numbers.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { 48...57 ~= $0 } }
  }
}
