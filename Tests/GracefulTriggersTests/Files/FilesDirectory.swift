import CGracefulSystem
import Foundation
import GracefulTriggers
import Synchronization

/// A directory of one test, with stop files in it.
final class FilesDirectory: Sendable {
  let path: String
  private let parent: String

  init() throws {
    parent = FileManager.default.temporaryDirectory.appendingPathComponent("f-\(UUID().uuidString.prefix(8))").path
    path = parent + "/d"
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: parent) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func make(_ name: String, _ text: String = "") {
    _ = FileManager.default.createFile(atPath: file(name), contents: Data(text.utf8))
  }

  func remove(_ name: String) { _ = cgs_unlink(file(name)) }

  func has(_ name: String) -> Bool {
    var status = cgs_file_status()
    return cgs_link_status(file(name), &status) == 0
  }

  /// But for the lock.
  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).filter { $0 != "process.stop.lock" }.sorted()
  }

  func removeAll() { try? FileManager.default.removeItem(atPath: path) }

  func makeAgain() throws {
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }
}

/// What was told, in order, for the test that waits for it.
final class Heard<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])

  var all: [Value] { values.withLock { $0 } }
  func add(_ value: Value) { values.withLock { $0.append(value) } }

  /// Asks again and again, until there are so many.
  func waits(for count: Int, within limit: Duration = .seconds(20)) -> Bool {
    let deadline = ContinuousClock.now + limit
    while all.count < count {
      guard ContinuousClock.now < deadline else { return false }
      _ = cgs_poll(nil, 0, 1)
    }
    return true
  }
}
