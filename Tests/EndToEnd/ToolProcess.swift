import Foundation
import GracefulDescriptors
import GracefulProcesses
import Synchronization
import TestHost

/// One thread that sees the ends of all of them.
private let watching: PollLoop = {
  do { return try PollLoop(name: "tests") } catch { fatalError("no thread for the tests: \(error)") }
}()

/// A built program of this package as a process, with what it and its successors write.
///
/// Everything that has the same output file is ended with it: the successors that a demo starts itself are not our
/// children.
final class ToolProcess: Sendable {
  let child: ChildProcess
  private let directory: TestDirectory
  private let number: Int

  var pid: Int32 { child.id.rawValue }

  /// - Parameters:
  ///   - executable: a name in the folder into which everything is built, or a path.
  ///   - terminal: what it has as its input and its standard error.
  init(
    _ arguments: [String], executable: String = "graceful", in directory: TestDirectory, own: [String: String] = [:],
    terminal: CInt? = nil
  ) throws {
    self.directory = directory
    number = directory.nextNumber()
    let path = executable.contains("/") ? executable : try Self.built(executable).path
    let output = try Self.file(directory.path("out-\(number)"))
    let errors = try Self.file(directory.path("err-\(number)"))
    defer {
      try? output.close()
      try? errors.close()
    }
    let command = Command(
      path, arguments: arguments, environment: ProcessInfo.processInfo.environment, own: own,
      descriptors: [
        .init(ours: output.fileDescriptor, childs: 1), .init(ours: terminal ?? errors.fileDescriptor, childs: 2),
      ] + (terminal.map { [.init(ours: $0, childs: 0)] } ?? []))
    child = try ChildProcess.spawn(command, on: watching)
    directory.add(child)
  }

  static func built(_ name: String) throws -> URL {
    // The tests run in the folder into which everything is built.
    let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: runner).deletingLastPathComponent().appendingPathComponent(name)
  }

  private static func file(_ path: String) throws -> FileHandle {
    guard FileManager.default.createFile(atPath: path, contents: nil), let file = FileHandle(forWritingAtPath: path)
    else { throw CocoaError(.fileWriteUnknown) }
    _ = try file.seekToEnd()
    return file
  }

  var output: String { directory.read("out-\(number)") }
  var errors: String { directory.read("err-\(number)") }
  var outputLines: [String] { output.split(separator: "\n").map(String.init) }

  /// Waits until it, or a successor that it started, has said that it serves as that generation.
  func serving(generation: Int = 1, within limit: Duration = .seconds(30)) async -> Serving? {
    _ = await eventually(within: limit) {
      // Its successors may serve when it has ended well; when it has failed, no process will.
      self.servings.contains { $0.generation == generation } || self.child.status?.isSuccess == false
    }
    return servings.first { $0.generation == generation }
  }

  var servings: [Serving] { outputLines.compactMap(Serving.init) }

  /// Waits until it has a handler for that signal: before, the signal would end it.
  func catches(_ signal: CInt) async -> Bool {
    await eventually { SignalSets("/proc/\(self.pid)/status")?.has(signal, in: "SigCgt") == true }
  }

  func end(within limit: Duration = .seconds(30)) async -> ExitStatus? {
    _ = await eventually(within: limit) { self.child.status != nil }
    return child.status
  }
}

/// The demo's line: `serving http://127.0.0.1:PORT generation G pid P`.
struct Serving: Equatable {
  var port: Int
  var generation: Int
  var pid: Int32

  init?(_ line: String) {
    let words = line.split(separator: " ")
    guard words.count == 6, words[0] == "serving", words[2] == "generation", words[4] == "pid",
      let port = words[1].split(separator: ":").last.flatMap({ Int($0) }), let generation = Int(words[3]),
      let pid = Int32(words[5])
    else { return nil }
    self.port = port
    self.generation = generation
    self.pid = pid
  }
}

/// A private directory for one test; at the end everything that was started in it is ended, and it is removed.
final class TestDirectory: Sendable {
  private let url: URL
  private let state = Mutex(State())

  private struct State {
    var number = 0
    var children: [ChildProcess] = []
  }

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("g-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
      at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit {
    let state = state.withLock { $0 }
    for child in state.children { child.signal(9) }
    for number in 0...state.number {
      for serving in read("out-\(number)").split(separator: "\n").compactMap({ Serving(String($0)) }) {
        kill(serving.pid, SIGKILL)
      }
    }
    try? FileManager.default.removeItem(at: url)
  }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }
  func read(_ name: String) -> String { (try? String(contentsOfFile: path(name), encoding: .utf8)) ?? "" }

  func nextNumber() -> Int {
    state.withLock { state in
      state.number += 1
      return state.number
    }
  }

  func add(_ child: ChildProcess) { state.withLock { $0.children.append(child) } }
}

/// What the system knows of a process that may not be our child.
enum Observed {
  static func lives(_ pid: Int32) -> Bool {
    guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else { return false }
    // A zombie is dead; its parent has not looked yet.
    return stat.split(separator: ")").last?.first { $0 != " " } != "Z"
  }

  static func children(of pid: Int32) -> [Int32] {
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }) ?? []
    return numbers.filter { number in
      let stat = try? String(contentsOfFile: "/proc/\(number)/stat", encoding: .utf8)
      // Behind the name, which may have blanks and brackets in it: the state, then the parent (proc_pid_stat(5)).
      let fields = stat?.split(separator: ")").last?.split(separator: " ") ?? []
      return fields.count > 1 && Int32(fields[1]) == pid
    }
  }

  /// Whether it holds a descriptor that stands for a process (pidfd_open(2)).
  static func hasPidfd(_ pid: Int32) -> Bool {
    let folder = "/proc/\(pid)/fd/"
    let numbers = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return numbers.contains {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: folder + $0))?.contains("pidfd") == true
    }
  }

  static func descriptors(of pid: Int32) -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? -1
  }
}
