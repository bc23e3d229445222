import CGracefulSystem
import Foundation
import GracefulShutdown
import TestHost
import Testing

@testable import GracefulTriggers

@Suite("What is left of an answer when a process ends before it is finished", .offThePool, .timeLimit(.minutes(1)))
struct StopFileLeftoversTests {
  @Test("Of answers that were never finished, the old ones of our user are removed, and nothing else")
  func leftovers() throws {
    let directory = try FilesDirectory()
    let left = "process.stopped.12.345.tmp"
    let others = [
      "process.stopped.12.tmp", "process.stopped.12.345", "process.stopped.x.345.tmp", "process.stopped.12..tmp",
      "process.stopped.1.2.3.tmp", "stopped.12.345.tmp",
    ]
    for name in others + [left] { directory.make(name) }
    #expect(symlink("/nothing", directory.file("process.stopped.7.7.tmp")) == 0)
    // A process may be writing it.
    try watch(StopFiles(directory: directory.path), directory)
    #expect(directory.has(left))

    var later = StopFiles(directory: directory.path)
    later.calls.wallClock = { cgs_wall_nanoseconds() + 60_000_000_000 }
    try watch(later, directory)
    #expect(directory.names == (others + ["process.stopped.7.7.tmp"]).sorted())
  }

  /// Watches until a request has been heard.
  private func watch(_ files: StopFiles, _ directory: FilesDirectory) throws {
    let asked = Heard<StopRequest>()
    let driver = try StopFileWatchDriver(files, heard: asked.add)
    directory.make("process.stop")
    #expect(asked.waits(for: 1))
    driver.leave()
  }
}
