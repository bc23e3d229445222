import Foundation
import GracefulDescriptors
import GracefulProcesses
import SystemPackage
import Testing

/// `graceful rehearse` as a process: a rehearsal becomes a subreaper and ends whatever lives below it, so it must not run
/// in the process of the tests.
struct RehearsalProcess {
  var status: GracefulProcesses.ExitStatus
  var report: [String: Any]
  var errors: String

  static var products: String {
    get throws {
      let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      // The runner is the test bundle itself or a helper of the toolchain that loads it.
      let candidates = [runner] + CommandLine.arguments
      for candidate in candidates {
        var folder = URL(fileURLWithPath: candidate).deletingLastPathComponent()
        for _ in 0..<4 {
          if FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("TestProgram").path) {
            return folder.path
          }
          folder.deleteLastPathComponent()
        }
      }
      throw CocoaError(.fileNoSuchFile)
    }
  }

  /// A directory in which `graceful` is the stand-in, so that it is taken for the demo.
  static func standIn() throws -> (directory: String, command: String) {
    let directory = NSTemporaryDirectory() + "rehearsal-\(UInt32.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    try FileManager.default.createSymbolicLink(
      atPath: "\(directory)/graceful", withDestinationPath: "\(try products)/TestProgram")
    return (directory, "\(directory)/graceful")
  }

  /// Runs it to its end, or sends it a signal when something has been seen in its output.
  static func run(
    _ arguments: [String], standIn fault: String? = nil, server: [String]? = nil,
    whenRunning: (@Sendable (ChildProcess) async throws -> Void)? = nil
  ) async throws -> RehearsalProcess {
    let (directory, command) = try standIn()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let output = FilePath("\(directory)/report")
    let errors = FilePath("\(directory)/errors")
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    var environment = ProcessInfo.processInfo.environment
    environment["STAND_IN"] = fault
    let options: FileDescriptor.OpenOptions = [.create, .truncate, .closeOnExec]
    let out = try FileDescriptor.open(output, .writeOnly, options: options, permissions: .ownerReadWrite)
    let err = try FileDescriptor.open(errors, .writeOnly, options: options, permissions: .ownerReadWrite)
    let child = try {
      defer {
        try? out.close()
        try? err.close()
      }
      return try ChildProcess.spawn(
        Command(
          "\(try products)/graceful",
          arguments: ["rehearse", "--json", "-"] + arguments + ["--"] + (server ?? [command, "demo"]),
          environment: environment,
          descriptors: [.init(ours: out.rawValue, childs: 1), .init(ours: err.rawValue, childs: 2)]),
        on: loop)
    }()
    try await whenRunning?(child)
    let status = await child.exit
    let json = try Data(contentsOf: URL(fileURLWithPath: output.string))
    let object = json.isEmpty ? [:] : try JSONSerialization.jsonObject(with: json)
    return RehearsalProcess(
      status: status, report: try #require(object as? [String: Any]),
      errors: try String(contentsOfFile: errors.string, encoding: .utf8))
  }

  var verdict: String { report["verdict"] as? String ?? "" }
  var command: [String] { report["command"] as? [String] ?? [] }
  var restarts: [[String: Any]] { report["restarts"] as? [[String: Any]] ?? [] }
  var stops: [[String: Any]] { report["stops"] as? [[String: Any]] ?? [] }
  var outcomes: [String] { restarts.map { $0["outcome"] as? String ?? "" } }

  /// Every process that the report names, still alive.
  var alive: [Int32] {
    let pids = (restarts + stops).flatMap { [$0["pid"], $0["oldPid"]].compactMap { ($0 as? NSNumber)?.int32Value } }
    return Set(pids).filter { ProcessTable.entry(ProcessID(rawValue: $0))?.isZombie == false }.sorted()
  }
}

extension FilePermissions {
  static let ownerReadWrite: FilePermissions = [.ownerRead, .ownerWrite]
}
