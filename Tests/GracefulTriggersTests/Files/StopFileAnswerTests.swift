import CGracefulSystem
import Foundation
import Testing

@testable import GracefulTriggers

@Suite("The answer that a process has stopped")
struct StopFileAnswerTests {
  @Test("The answer is written whole, names this process, and replaces whatever is there")
  func answer() throws {
    let directory = try FilesDirectory()
    let files = StopFiles(directory: directory.path)
    #expect(symlink("/nothing", directory.file("process.stopped")) == 0)
    try files.signalStopped()
    try files.signalStopped()
    #expect(directory.names == ["process.stopped"])
    let content = StopFileContent(StopFileCalls.live.read(directory.file("process.stopped")) ?? [])
    #expect(content?.process == cgs_process_id())
    #expect(content?.start == ProcessStart(of: cgs_process_id(), calls: .live))
  }

  @Test("On a full disk the answer is empty; where nothing can be made, that is an error, and nothing is left")
  func fullDisk() throws {
    let directory = try FilesDirectory()
    var files = StopFiles(directory: directory.path)
    files.calls = FailingFileCalls(1, of: [.write], errno: 28).calls
    try files.signalStopped()
    #expect(StopFileCalls.live.read(directory.file("process.stopped")) == [])
    directory.remove("process.stopped")
    for (kind, errno, code) in [
      (FailingFileCalls.Kind.create, 28 as Int32, StopFileError.Code.system), (.create, 13, .notAllowed),
      (.rename, 28, .system), (.rename, 1, .notAllowed),
    ] {
      files.calls = FailingFileCalls(1, of: [kind], errno: errno).calls
      let error = #expect(throws: StopFileError.self) { try files.signalStopped() }
      #expect(error?.code == code && directory.names == [])
    }
    _ = cgs_make_directory(directory.file("process.stopped"), 0o700)
    #expect(throws: StopFileError.self) { try StopFiles(directory: directory.path).signalStopped() }
    #expect(directory.names == ["process.stopped"])
  }

  @Test("When no descriptor is left, the answer is empty; where it cannot be made so either, that is an error")
  func noDescriptor() throws {
    let directory = try FilesDirectory()
    var files = StopFiles(directory: directory.path)
    for errno in [24 as Int32, 23] {
      files.calls = FailingFileCalls(1, of: [.create], errno: errno).calls
      try files.signalStopped()
      #expect(directory.names == ["process.stopped"])
      #expect(StopFileCalls.live.read(directory.file("process.stopped")) == [])
      directory.remove("process.stopped")
      files.calls = FailingFileCalls(1, of: [.create, .makeFile], from: true, errno: errno).calls
      let error = #expect(throws: StopFileError.self) { try files.signalStopped() }
      #expect(error?.code == .system && directory.names == [])
    }
  }

  @Test("What is in the answer is read as it was written, and anything else is nobody")
  func content() {
    let content = StopFileContent(process: 12, start: ProcessStart(ticks: 345))
    #expect(StopFileContent(Array(content.text.utf8)) == content)
    for text in ["", "\n", "12", "12 x", "-1 5", "0 5", "12 345 6", "99999999999 1"] {
      #expect(StopFileContent(Array(text.utf8)) == nil, "\(text)")
    }
  }

  @Test("The start of this process is known to a tick, and lies in the past")
  func start() throws {
    let start = try #require(ProcessStart.wallClock(calls: .live))
    #expect(start < cgs_wall_nanoseconds())
    // Any of them may have been held up.
    let others = (0..<10).compactMap { _ in ProcessStart.wallClock(calls: .live) }
    #expect(zip(others, others.dropFirst()).contains { abs($0 - $1) < 20_000_000 })
  }
}
