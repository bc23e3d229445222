import CGracefulSystem
import Foundation
import GracefulShutdown
import Synchronization
import TestHost
import Testing

@testable import GracefulTriggers

/// The program's side, with real files.
@Suite(
  "A program that is stopped by files", .offThePool, .exclusive(.stopFileThreads), .serialized, .timeLimit(.minutes(2)))
struct StopFileWatchTests {
  private final class Watch {
    let asked = Heard<StopRequest>()
    let refused = Heard<StopFileRefusal>()
    let driver: StopFileWatchDriver

    init(_ directory: FilesDirectory, calls: StopFileCalls = .live, pace: StopFileWatchStateMachine.Pace = .init())
      throws
    {
      var files = StopFiles(directory: directory.path)
      files.calls = calls
      driver = try StopFileWatchDriver(files, pace: pace, told: [refused.add], heard: asked.add)
    }

    deinit { driver.leave() }
  }

  /// So that what is found is found by a change, or the test takes its whole time.
  private static let never = StopFileWatchStateMachine.Pace(watched: .seconds(3600), unwatched: .seconds(3600))
  private static let onlyPolling = FailingFileCalls(1, of: [.inotify], from: true, errno: 38)

  @Test("A request is taken away and heard, by being told of it")
  func request() throws {
    let directory = try FilesDirectory()
    for _ in 0..<20 {
      let watch = try Watch(directory, pace: Self.never)
      directory.make("process.stop")
      #expect(watch.asked.waits(for: 1))
      #expect(!directory.has("process.stop"))
    }
    let watch = try Watch(directory)
    for count in 1...3 {
      directory.make("process.stop")
      #expect(watch.asked.waits(for: count))
    }
    #expect(watch.asked.all.allSatisfy { $0.source == .file(directory.file("process.stop")) })
    #expect("\(watch.asked.all[0])" == "stop file \(directory.file("process.stop"))")
  }

  @Test("One that is renamed into its place, and one that nobody may read, is heard, too")
  func renamed() throws {
    let directory = try FilesDirectory()
    let watch = try Watch(directory)
    directory.make("other")
    _ = cgs_rename(directory.file("other"), directory.file("process.stop"))
    #expect(watch.asked.waits(for: 1))
    // As Go's `os.WriteFile(…, 600)` makes it.
    _ = cgs_close(cgs_create_file(directory.file("process.stop"), 0o1130))
    #expect(watch.asked.waits(for: 2))
  }

  @Test("Without inotify it is heard by looking now and then")
  func polled() throws {
    let directory = try FilesDirectory()
    let watch = try Watch(directory, calls: Self.onlyPolling.calls)
    for count in 1...3 {
      directory.make("process.stop")
      #expect(watch.asked.waits(for: count))
    }
  }

  @Test("Trap 25: what an earlier run has left neither stops it nor stays")
  func stale() throws {
    let directory = try FilesDirectory()
    directory.make("process.stop")
    directory.make("process.stopped")
    // Made by a process that began before: this one has not begun yet, as far as the watch can tell.
    var calls = StopFileCalls.live
    calls.read = { $0.hasPrefix("/proc/") ? nil : StopFileCalls.live.read($0) }
    let watch = try Watch(directory, calls: calls, pace: Self.never)
    #expect(watch.refused.waits(for: 1))
    #expect(watch.refused.all.map(\.reason) == [.stale])
    #expect(watch.asked.all.isEmpty && directory.names.isEmpty)
    directory.make("process.stop")
    #expect(watch.asked.waits(for: 1))
  }

  @Test("One that was made after the process began, and before it listened, stops it")
  func early() throws {
    let directory = try FilesDirectory()
    directory.make("process.stop")
    let watch = try Watch(directory, pace: Self.never)
    #expect(watch.asked.waits(for: 1) && !directory.has("process.stop"))
  }

  enum Bad: String, CaseIterable { case directory, link, pipe, hardLink, foreign, dangling }

  @Test("What is no request is left as it is, told of once, and the next one is heard", arguments: Bad.allCases)
  func bad(_ bad: Bad) throws {
    if bad == .foreign, cgs_effective_user() != 0 { return }
    let directory = try FilesDirectory()
    let watch = try Watch(directory, pace: .init(watched: .milliseconds(5), unwatched: .milliseconds(5)))
    let path = directory.file("process.stop")
    directory.make("target")
    let reason: StopFileRefusal.Reason
    switch bad {
    case .directory:
      _ = cgs_make_directory(path, 0o700)
      reason = .notAFile
    case .link:
      #expect(symlink(directory.file("target"), path) == 0)
      reason = .notAFile
    case .dangling:
      #expect(symlink("/nothing/there", path) == 0)
      reason = .notAFile
    case .pipe:
      #expect(mkfifo(path, 0o600) == 0)
      reason = .notAFile
    case .hardLink:
      #expect(link(directory.file("target"), path) == 0)
      reason = .hardLink
    case .foreign:
      directory.make("foreign")
      #expect(chown(directory.file("foreign"), 12345, 12345) == 0)
      _ = cgs_rename(directory.file("foreign"), path)
      reason = .foreign
    }
    #expect(watch.refused.waits(for: 1))
    #expect(watch.refused.all[0].reason == reason && watch.refused.all[0].path == path)
    #expect(directory.has("process.stop") && watch.asked.all.isEmpty)
    if bad == .directory { _ = cgs_remove_directory(path) } else { directory.remove("process.stop") }
    directory.make("process.stop")
    #expect(watch.asked.waits(for: 1))
    #expect(watch.refused.all.count == 1, "\(watch.refused.all)")
  }

  @Test("A directory that appears later, is deleted while it is watched, and appears again")
  func directory() throws {
    let directory = try FilesDirectory()
    directory.removeAll()
    let watch = try Watch(directory)
    #expect(watch.refused.waits(for: 1))
    #expect(watch.refused.all[0].reason == .noDirectory && watch.refused.all[0].path == directory.path)
    for count in 1...3 {
      try directory.makeAgain()
      directory.make("process.stop")
      #expect(watch.asked.waits(for: count))
      directory.removeAll()
    }
  }

  @Test("Trap 25: a directory that others can write to is a mistake; a sticky one is not")
  func openDirectory() throws {
    let directory = try FilesDirectory()
    #expect(chmod(directory.path, 0o777) == 0)
    let error = #expect(throws: StopFileError.self) { try Watch(directory) }
    #expect(error?.code == .notAllowed && error?.description.contains("chmod") == true)
    #expect(chmod(directory.path, 0o1777) == 0)
    let watch = try Watch(directory, pace: Self.never)
    // Opened to others while it is watched.
    #expect(chmod(directory.path, 0o777) == 0)
    #expect(watch.refused.waits(for: 1))
    directory.make("process.stop")
    #expect(chmod(directory.path, 0o1777) == 0)
    _ = watch
  }

  @Test("A file in a directory's place, and names that are none, are mistakes")
  func mistakes() throws {
    let directory = try FilesDirectory()
    directory.make("file")
    for files in [
      StopFiles(directory: directory.file("file")), StopFiles(directory: ""), StopFiles(request: ""),
      StopFiles(request: "a/b"), StopFiles(answer: ".."), StopFiles(request: "a", answer: "a"),
      StopFiles(directory: "/\0"),
    ] {
      #expect(throws: StopFileError.self) { try StopFileWatchDriver(files) { _ in } }
      #expect(throws: StopFileError.self) { try files.requests() }
      #expect(throws: TriggerError.self) { try Trigger.files(files).listen { _ in } }
    }
  }

  @Test("Somebody who blocks while he is told of a refusal holds up no request")
  func blockedCallback() throws {
    let directory = try FilesDirectory()
    let gate = Gate()
    let asked = Heard<StopRequest>()
    let files = StopFiles(directory: directory.path) { _ in gate.wait() }
    let driver = try StopFileWatchDriver(files, heard: asked.add)
    #expect(symlink("/nothing", directory.file("process.stop")) == 0)
    var isStarted = false
    while !isStarted { isStarted = !Disposition.threads(named: "graceful-refuse").isEmpty }
    directory.remove("process.stop")
    directory.make("process.stop")
    #expect(asked.waits(for: 1))
    gate.open()
    driver.leave()
  }

  /// Waits until so many threads watch; those of an earlier test may be leaving.
  private static func areWatching(_ count: Int) -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while Disposition.threads(named: "graceful-files").count != count {
      guard ContinuousClock.now < deadline else { return false }
      _ = cgs_poll(nil, 0, 1)
    }
    return true
  }

  /// In a process of its own: in this one other tests open descriptors meanwhile.
  @Test("Whoever has left hears nothing, and leaves neither thread nor descriptor behind", .inOwnProcess)
  func leaving() async {
    await #expect(processExitsWith: .success) {
      let directory = try FilesDirectory()
      #expect(StopFileWatchTests.areWatching(0))
      let descriptors = { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
      let before = try descriptors()
      do {
        let watch = try Watch(directory, pace: StopFileWatchTests.never)
        #expect(StopFileWatchTests.areWatching(1))
        watch.driver.leave()
        watch.driver.leave()
      }
      #expect(StopFileWatchTests.areWatching(0))
      directory.make("process.stop")
      #expect(directory.has("process.stop"))
      let deadline = ContinuousClock.now + .seconds(20)
      while try descriptors() > before, .now < deadline { _ = cgs_poll(nil, 0, 1) }
      #expect(try descriptors() <= before)
    }
  }

  @Test("A disk that does not answer holds up nobody for more than a second, and what is wrong with it is told then")
  func slowDisk() throws {
    let directory = try FilesDirectory()
    #expect(chmod(directory.path, 0o777) == 0)
    let gate = Gate()
    var files = StopFiles(directory: directory.path)
    files.calls.status = { path in
      gate.wait()
      return StopFileCalls.live.status(path)
    }
    let (asked, refused) = (Heard<StopRequest>(), Heard<StopFileRefusal>())
    let driver = try StopFileWatchDriver(files, told: [refused.add], heard: asked.add)
    #expect(refused.all.isEmpty)
    gate.open()
    #expect(refused.waits(for: 1) && refused.all[0].reason == .unsafeDirectory)
    #expect(chmod(directory.path, 0o700) == 0)
    directory.make("process.stop")
    #expect(asked.waits(for: 1))
    driver.leave()
  }

  @Test("Whichever call of the system fails: it says so at once, or goes on and hears the request")
  func eachCallFails() throws {
    var number = 0
    while true {
      number += 1
      let failing = FailingFileCalls(number, errno: 5)
      let directory = try FilesDirectory()
      let isLast: Bool
      do {
        let watch = try Watch(directory, calls: failing.calls)
        directory.make("process.stop")
        #expect(watch.asked.waits(for: 1), "call \(number), \(failing.failed.map { "\($0)" } ?? "none")")
        isLast = failing.failed == nil
      } catch let error as StopFileError {
        #expect(error.code == .system || error.code == .notAllowed, "\(error)")
        isLast = false
      }
      if isLast { break }
      #expect(number < 100)
    }
    #expect(number > 8)
  }

  @Test("A sequence without a lifecycle hears each request, and listens no longer when nobody holds it")
  func sequence() async throws {
    let directory = try FilesDirectory()
    do {
      let requests = try StopFiles(directory: directory.path).requests()
      var iterator = requests.makeAsyncIterator()
      for _ in 0..<3 {
        directory.make("process.stop")
        #expect(await iterator.next()?.source == .file(directory.file("process.stop")))
      }
    }
    #expect(Self.areWatching(0))
  }

  @Test("Events of inotify are read whole, and half a one is none")
  func inotifyEvents() {
    func event(_ watch: Int32, _ mask: UInt32, _ name: [UInt8]) -> [UInt8] {
      withUnsafeBytes(of: watch) { Array($0) } + withUnsafeBytes(of: mask) { Array($0) } + [0, 0, 0, 0]
        + withUnsafeBytes(of: UInt32(name.count)) { Array($0) } + name
    }
    let bytes = event(1, 2, []) + event(3, 4, [65, 66, 0, 0])
    let all = [InotifyEvent(watch: 1, mask: 2, name: []), InotifyEvent(watch: 3, mask: 4, name: [65, 66])]
    #expect(InotifyEvent.all(in: bytes) == all)
    for count in 0..<bytes.count {
      #expect(InotifyEvent.all(in: Array(bytes.prefix(count))) == Array(all.prefix(count >= 16 ? 1 : 0)))
    }
    #expect(InotifyEvent.all(in: [UInt8](repeating: 255, count: 64)) == [])
  }
}
