import GracefulDescriptors
import GracefulProcesses
import SystemPackage
import Testing

@Suite("Child processes", .serialized, .timeLimit(.minutes(1))) struct ChildProcessTests {
  /// Runs a shell script with its standard output in a pipe.
  func shell(
    _ script: String, environment: [String: String] = ["PATH": "/usr/bin:/bin"], own: [String: String] = [:],
    directory: String? = nil, pass: [Command.Descriptor] = []
  ) async throws -> (output: String, status: ExitStatus) {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let (reader, writer) = try FileDescriptor.pipe(options: .closeOnExec)
    defer { try? reader.close() }
    let command = Command(
      "sh", arguments: ["-c", script], environment: environment, own: own, directory: directory,
      descriptors: [Command.Descriptor(ours: writer.rawValue, childs: 1)] + pass)
    let child = try {
      defer { try? writer.close() }
      return try ChildProcess.spawn(command, on: loop)
    }()
    let status = await child.exit
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = try bytes.withUnsafeMutableBytes { try reader.read(into: $0) }
    return (String(decoding: bytes[..<count], as: UTF8.self), status)
  }

  @Test("How it ended is known exactly", arguments: [(0, 0), (1, 1), (77, 77), (255, 255)])
  func codes(code: Int, expected: Int32) async throws {
    #expect(try await shell("echo x; exit \(code)").status == .exited(expected))
  }

  @Test("A child that a signal ended is told from one that exited") func signaled() async throws {
    let status = try await shell("echo x; kill -TERM $$").status
    #expect(status == .signaled(15))
    #expect(status.shellCode == 143)
  }

  @Test("It has the environment that it is given, cleaned, and no other") func environment() async throws {
    let output = try await shell(
      "echo ${A-none} ${LISTEN_FDS-none} ${GRACEFUL_PLAN-none} ${GRACEFUL_REPORT_FILE-none} ${GRACEFUL_OWN-none} "
        + "${HOME-none}",
      environment: [
        "PATH": "/usr/bin:/bin", "A": "a", "LISTEN_FDS": "1", "GRACEFUL_PLAN": "text", "GRACEFUL_REPORT_FILE": "r",
      ],
      own: ["GRACEFUL_OWN": "own"]
    ).output
    #expect(output == "a none none r own none\n")
  }

  @Test("It runs in its directory, blocks no signal, and leads a group of its own") func surroundings() async throws {
    let output = try await shell(
      "pwd; grep SigBlk /proc/self/status; read a b c d pgrp rest < /proc/$$/stat; [ $pgrp = $$ ] && echo leader",
      directory: "/proc/sys")
    #expect(output.output == "/proc/sys\nSigBlk:\t0000000000000000\nleader\n")
  }

  @Test("Descriptors arrive under their numbers, also when these cross") func descriptors() async throws {
    let (firstReader, firstWriter) = try FileDescriptor.pipe(options: .closeOnExec)
    let (secondReader, secondWriter) = try FileDescriptor.pipe(options: .closeOnExec)
    defer { for end in [firstReader, firstWriter, secondReader, secondWriter] { try? end.close() } }
    try firstWriter.writeAll("first\n".utf8)
    try secondWriter.writeAll("second\n".utf8)
    // The child's numbers are our numbers of the other one.
    let crossed = [
      Command.Descriptor(ours: firstReader.rawValue, childs: secondReader.rawValue),
      Command.Descriptor(ours: secondReader.rawValue, childs: firstReader.rawValue),
    ]
    let script =
      "read x < /proc/self/fd/\(secondReader.rawValue); read y < /proc/self/fd/\(firstReader.rawValue); echo $x $y"
    #expect(try await shell(script, pass: crossed).output == "first second\n")
  }

  @Test("What is not passed is closed in the child") func closed() async throws {
    let (reader, writer) = try FileDescriptor.pipe(options: .closeOnExec)
    defer { for end in [reader, writer] { try? end.close() } }
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let owned = try OwnedDescriptor(adopting: reader.duplicate()).duplicate()
    let output = try await shell("[ -e /proc/self/fd/\(owned.borrowed.rawValue) ] && echo open || echo closed").output
    #expect(output == "closed\n")
  }

  @Test(
    "What cannot be run is refused with the reason, and nothing runs",
    arguments: [
      ("no-such-command-anywhere", Errno.noSuchFileOrDirectory), ("/no/such/file", .noSuchFileOrDirectory),
      ("/etc/passwd", .permissionDenied), ("/etc", .permissionDenied), ("", .noSuchFileOrDirectory),
    ])
  func refused(name: String, errno: Errno) throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let error = #expect(throws: SystemError.self) {
      _ = try ChildProcess.spawn(Command(name, environment: ["PATH": "/usr/bin:/bin"]), on: loop)
    }
    #expect(error?.errno == errno)
  }

  @Test("A directory that is not there is the directory's fault, not the executable's") func missingDirectory() throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let error = #expect(throws: SystemError.self) {
      _ = try ChildProcess.spawn(
        Command("sh", environment: ["PATH": "/usr/bin:/bin"], directory: "/no/such/directory"), on: loop)
    }
    #expect(error?.operation == "chdir")
    #expect(error?.subject == "/no/such/directory")
  }

  @Test("A signal reaches a child that runs, and is refused after its end") func signal() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let child = try ChildProcess.spawn(Command("/bin/sleep", arguments: ["60"], environment: [:]), on: loop)
    #expect(child.status == nil)
    #expect(child.signal(9))
    #expect(await child.exit == .signaled(9))
    #expect(!child.signal(9))
    #expect(await child.exit == .signaled(9), "who asks late is answered too")
  }

  @Test("Forty children at once are each reaped once, and no descriptor is left") func many() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let children = try (0..<40).map { index in
      try ChildProcess.spawn(
        Command("/bin/sh", arguments: ["-c", "exit \(index)"], environment: [:]), on: loop)
    }
    for (index, child) in children.enumerated() {
      #expect(await child.exit == .exited(Int32(index)))
      #expect(ProcessTable.entry(child.id)?.parent != .current, "no zombie of ours")
    }
  }
}
