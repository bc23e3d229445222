import CGracefulSystem
import Foundation
import GracefulShutdown
import TestHost
import Testing

@testable import GracefulTriggers

/// The requester's side, with real files, and a program's side in the same process or by hand.
@Suite("Whoever asks by files", .offThePool, .exclusive(.stopFileThreads), .serialized, .timeLimit(.minutes(2)))
struct StopFileClientTests {
  private static let never = StopFileClientStateMachine.Pace(watched: .seconds(3600), unwatched: .seconds(3600))

  /// Asks on a thread of its own.
  /// - Returns: Whether it has heard that the program has stopped, once it has ended.
  private func ask(
    _ driver: StopFileClient, _ files: StopFiles, _ heard: Heard<StopFileClient.Progress>
  ) -> Heard<Bool> {
    let ended = Heard<Bool>()
    _ = files.calls.startThread("asking") {
      do throws(StopFileError) {
        try driver.run { heard.add($0) }
        ended.add(true)
      } catch { ended.add(false) }
    }
    return ended
  }

  @Test("Asks and is answered, many times, each within the reaction of the system")
  func both() async throws {
    let directory = try FilesDirectory()
    let files = StopFiles(directory: directory.path)
    let driver = try StopFileWatchDriver(files) { _ in try? files.signalStopped() }
    for _ in 0..<20 {
      try await files.requestStopAndWait(timeout: .seconds(20))
      #expect(directory.names == ["process.stopped"])
    }
    driver.leave()
  }

  @Test("The one that blocks needs no other thread")
  func blocking() throws {
    let directory = try FilesDirectory()
    let files = StopFiles(directory: directory.path)
    let driver = try StopFileWatchDriver(files) { _ in try? files.signalStopped() }
    try files.requestStopAndWait(timeout: .seconds(20))
    driver.leave()
  }

  @Test("An answer of an earlier run is not believed, whether it is old or new, and its successor is")
  func stale() async throws {
    for isOld in [false, true] {
      let directory = try FilesDirectory()
      var files = StopFiles(directory: directory.path)
      if isOld { files.calls.wallClock = { cgs_wall_nanoseconds() + 60_000_000_000 } }
      directory.make("process.stopped")
      let asking = files
      let error = await #expect(throws: StopFileError.self) {
        try await asking.requestStopAndWait(timeout: .milliseconds(200))
      }
      #expect(error?.code == .notInTime && error?.exitCode == 124)
      #expect(directory.names == (isOld ? [] : ["process.stopped"]))

      let driver = try StopFileWatchDriver(StopFiles(directory: directory.path)) { _ in try? asking.signalStopped() }
      // The program that starts removes it; put there again, it counts for nothing all the same.
      directory.make("process.stopped")
      try await asking.requestStopAndWait(timeout: .seconds(20))
      driver.leave()
    }
  }

  @Test("A request that nobody takes is taken back when the time is over")
  func takenBack() throws {
    let directory = try FilesDirectory()
    for timeout in [Duration.zero, .milliseconds(50), .seconds(-5)] {
      let error = #expect(throws: StopFileError.self) {
        try StopFiles(directory: directory.path).requestStopAndWait(timeout: timeout)
      }
      #expect(error?.code == .notInTime && error?.reason.contains("taken back") == true)
      #expect(directory.names == [])
    }
  }

  @Test("One that somebody else has made stays, and the error says that it was there")
  func joined() throws {
    let directory = try FilesDirectory()
    directory.make("process.stop")
    let error = #expect(throws: StopFileError.self) {
      try StopFiles(directory: directory.path).requestStopAndWait(timeout: .milliseconds(50))
    }
    #expect(error?.reason.contains("somebody else's request") == true)
    #expect(directory.names == ["process.stop"])
  }

  @Test("A program that is slow to take it, and leaves the request there, as the ancestor does")
  func ancestor() async throws {
    let directory = try FilesDirectory()
    async let asked: Void = StopFiles(directory: directory.path).requestStopAndWait(timeout: .seconds(20))
    await eventually { directory.has("process.stop") }
    // Its mode lets no user read it: Go's `os.WriteFile(…, 600)`.
    _ = cgs_close(cgs_create_file(directory.file("process.stopped"), 0o1130))
    try await asked
    #expect(directory.names == ["process.stopped"])
  }

  @Test("What is in the way, is said, and left")
  func inTheWay() throws {
    let directory = try FilesDirectory()
    #expect(symlink("/nothing", directory.file("process.stop")) == 0)
    let files = StopFiles(directory: directory.path)
    var error = #expect(throws: StopFileError.self) { try files.requestStopAndWait(timeout: .seconds(20)) }
    #expect(error?.code == .notAllowed && error?.exitCode == 77 && directory.has("process.stop"))
    directory.remove("process.stop")
    #expect(chmod(directory.path, 0o777) == 0)
    error = #expect(throws: StopFileError.self) { try files.requestStopAndWait(timeout: .seconds(20)) }
    #expect(error?.code == .notAllowed && error?.path == directory.path)
    directory.removeAll()
    error = #expect(throws: StopFileError.self) { try files.requestStopAndWait(timeout: .seconds(20)) }
    #expect(error?.code == .nobodyThere && error?.exitCode == 69)
  }

  @Test("On a full disk and in a directory where nothing can be made, it says so at once")
  func fullDisk() throws {
    let directory = try FilesDirectory()
    for (errno, code) in [
      (28 as Int32, StopFileError.Code.system), (122, .system), (13, .notAllowed), (30, .notAllowed),
    ] {
      var files = StopFiles(directory: directory.path)
      files.calls = FailingFileCalls(1, of: [.create], errno: errno).calls
      let asking = files
      let error = #expect(throws: StopFileError.self) { try asking.requestStopAndWait(timeout: .seconds(3600)) }
      #expect(error?.code == code)
    }
  }

  @Test("Whose task is cancelled, takes his request back")
  func cancelled() async throws {
    let directory = try FilesDirectory()
    let files = StopFiles(directory: directory.path)
    let asking = Task { () -> StopFileError.Code? in
      do throws(StopFileError) {
        try await files.requestStopAndWait(timeout: .seconds(3600))
        return nil
      } catch {
        return error.code
      }
    }
    await eventually { directory.has("process.stop") }
    asking.cancel()
    #expect(await asking.value == .interrupted)
    #expect(directory.names == [])
  }

  @Test("It waits for the end of the process that the answer names, with a pidfd and without")
  func process() async throws {
    for withPidfd in [true, false] {
      let directory = try FilesDirectory()
      var files = StopFiles(directory: directory.path)
      if !withPidfd { files.calls.openProcess = { _ in -38 } }
      // A process that ends when its input does.
      let (child, input) = (Process(), Pipe())
      child.executableURL = URL(fileURLWithPath: "/bin/cat")
      child.standardInput = input
      child.standardOutput = FileHandle.nullDevice
      try child.run()
      let start = try #require(ProcessStart(of: child.processIdentifier, calls: .live))

      let heard = Heard<StopFileClient.Progress>()
      let driver = try StopFileClient(files, timeout: .seconds(20), pace: Self.never)
      let ended = ask(driver, files, heard)
      #expect(heard.waits(for: 1))
      let content = StopFileContent(process: child.processIdentifier, start: start)
      directory.make("new", content.text)
      _ = cgs_rename(directory.file("new"), directory.file("process.stopped"))
      while !heard.all.contains(.exiting(process: child.processIdentifier)), ended.all.isEmpty { await Task.yield() }
      #expect(ended.all.isEmpty)
      try input.fileHandleForWriting.close()
      #expect(ended.waits(for: 1) && ended.all == [true])
      child.waitUntilExit()
    }
  }

  @Test("An answer that has gone again before it could be looked at, counts")
  func cameAndWent() throws {
    let directory = try FilesDirectory()
    let files = StopFiles(directory: directory.path)
    let heard = Heard<StopFileClient.Progress>()
    let driver = try StopFileClient(
      files, timeout: .seconds(20),
      pace: .init(watched: .seconds(3600), unwatched: .seconds(3600), unwatchedFor: .zero))
    let ended = ask(driver, files, heard)
    #expect(heard.waits(for: 1))
    directory.remove("process.stop")
    // Some of them are seen, and some are not.
    directory.make("new")
    _ = cgs_rename(directory.file("new"), directory.file("process.stopped"))
    directory.remove("process.stopped")
    #expect(ended.waits(for: 1) && ended.all == [true])
  }

  @Test("An answer that names a process of another start, is believed at once")
  func recycledNumber() async throws {
    let directory = try FilesDirectory()
    async let asked: Void = StopFiles(directory: directory.path).requestStopAndWait(timeout: .seconds(20))
    await eventually { directory.has("process.stop") }
    directory.make("new", StopFileContent(process: 1, start: ProcessStart(ticks: 987_654_321)).text)
    _ = cgs_rename(directory.file("new"), directory.file("process.stopped"))
    try await asked
  }

  @Test("Whichever call of the system fails: it says so in time, or asks and is answered; no request is left")
  func eachCallFails() throws {
    var number = 0
    while true {
      number += 1
      let failing = FailingFileCalls(number, errno: 5)
      let directory = try FilesDirectory()
      let program = StopFiles(directory: directory.path)
      let watch = try StopFileWatchDriver(program) { _ in try? program.signalStopped() }
      var files = program
      files.calls = failing.calls
      let asking = files
      do throws(StopFileError) {
        try asking.requestStopAndWait(timeout: .seconds(20))
      } catch {
        #expect(error.code == .system, "call \(number), \(failing.failed.map { "\($0)" } ?? "none"): \(error)")
      }
      #expect(!directory.has("process.stop"))
      watch.leave()
      if failing.failed == nil { break }
      #expect(number < 100)
    }
    #expect(number > 6)
  }
}
