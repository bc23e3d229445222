import CGracefulSystem
import GracefulDescriptors
import GracefulProcesses
import Synchronization
import SystemPackage
import TestHost
import Testing

/// What is started here is a child of the tests' parent, and reaped by that.
@Suite("Processes beside this one", .serialized, .timeLimit(.minutes(1)))
struct SiblingProcessTests {
  private let loop: PollLoop

  init() throws { loop = try PollLoop(name: "test") }

  /// Runs a shell script with its standard output in a pipe, until it has ended.
  private func shell(
    _ script: String, directory: String? = nil, pass: [Command.Descriptor] = []
  ) async throws -> (id: ProcessID, output: String) {
    let (reader, writer) = try FileDescriptor.pipe(options: .closeOnExec)
    defer { try? reader.close() }
    let (ends, end) = AsyncStream.makeStream(of: ProcessID.self)
    let command = Command(
      "sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin", "A": "a", "LISTEN_FDS": "1"],
      directory: directory, descriptors: [Command.Descriptor(ours: writer.rawValue, childs: 1)] + pass)
    let sibling = try {
      defer { try? writer.close() }
      return try SiblingProcess.spawn(command, on: loop) { end.yield($0) }
    }()
    for await ended in ends {
      #expect(ended == sibling.id)
      break
    }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = try bytes.withUnsafeMutableBytes { try reader.read(into: $0) }
    return (sibling.id, String(decoding: bytes[..<count], as: UTF8.self))
  }

  @Test("Its parent is our parent, and no wait of ours finds it") func parent() async throws {
    defer { loop.stop() }
    let (id, output) = try await shell("read a b c parent rest < /proc/$$/stat; echo $$ $parent")
    #expect(output == "\(id) \(ProcessID.parent)\n")
    var how = cgs_exit()
    #expect(cgs_reap(id.rawValue, &how) == -Errno.noChildProcess.rawValue)
  }

  @Test("It blocks no signal, ignores none, leads a group of its own, and has its directory and environment")
  func surroundings() async throws {
    defer { loop.stop() }
    let output = try await shell(
      "pwd; grep -E 'Sig(Blk|Ign)' /proc/self/status; read a b c d pgrp rest < /proc/$$/stat; [ $pgrp = $$ ] && echo leader; "
        + "echo $A ${LISTEN_FDS-none}",
      directory: "/proc/sys"
    ).output
    #expect(
      output == """
        /proc/sys
        SigBlk:\t0000000000000000
        SigIgn:\t0000000000000000
        leader
        a none

        """)
  }

  @Test("Our own signal mask is the same afterwards, when it began and when it could not") func mask() throws {
    defer { loop.stop() }
    func blocked() throws -> String {
      let file = try FileDescriptor.open("/proc/thread-self/status", .readOnly, options: .closeOnExec)
      defer { try? file.close() }
      var bytes = [UInt8](repeating: 0, count: 8192)
      let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
      let lines = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n")
      return String(try #require(lines.first { $0.hasPrefix("SigBlk") }))
    }
    let before = try blocked()
    _ = try SiblingProcess.spawn(Command("/bin/true", environment: [:]), on: loop) { _ in }
    #expect(try blocked() == before)
    _ = try? SiblingProcess.spawn(Command("/bin/true", environment: [:], directory: "/no"), on: loop) { _ in }
    #expect(try blocked() == before)
  }

  @Test("Descriptors arrive under their numbers, also when these cross, and no other does") func descriptors()
    async throws
  {
    defer { loop.stop() }
    let (firstReader, firstWriter) = try FileDescriptor.pipe(options: .closeOnExec)
    let (secondReader, secondWriter) = try FileDescriptor.pipe(options: .closeOnExec)
    // Without close-on-exec, as NIO's.
    let (strayReader, strayWriter) = try FileDescriptor.pipe()
    let all = [firstReader, firstWriter, secondReader, secondWriter, strayReader, strayWriter]
    defer { for end in all { try? end.close() } }
    try firstWriter.writeAll("first\n".utf8)
    try secondWriter.writeAll("second\n".utf8)
    // The child's numbers are our numbers of the other one.
    let crossed = [
      Command.Descriptor(ours: firstReader.rawValue, childs: secondReader.rawValue),
      Command.Descriptor(ours: secondReader.rawValue, childs: firstReader.rawValue),
    ]
    let (one, other) = (secondReader.rawValue, firstReader.rawValue)
    // The listing first: afterwards the shell has opened what it reads.
    let output = try await shell(
      "cd /proc/$$/fd; echo *; read x < /proc/self/fd/\(one); read y < /proc/self/fd/\(other); echo $x $y",
      pass: crossed
    ).output
    let lines = output.split(separator: "\n")
    let listed = Set((lines.first ?? "").split(separator: " ").compactMap { Int32($0) })
    #expect(listed.isSuperset(of: [0, 1, 2, one, other]), "\(output)")
    #expect(listed.isDisjoint(with: [strayReader.rawValue, strayWriter.rawValue]), "\(output)")
    #expect(listed.count <= 6, "the one more is the directory that is listed: \(output)")
    #expect(lines.last == "first second")
  }

  @Test("It is signalled, its death is seen, and afterwards nothing is sent") func signal() async throws {
    defer { loop.stop() }
    let (ends, end) = AsyncStream.makeStream(of: ProcessID.self)
    let sibling = try SiblingProcess.spawn(
      Command("/bin/sleep", arguments: ["60"], environment: [:]), on: loop
    ) { end.yield($0) }
    #expect(sibling.signal(15), "and it is not deaf for it")
    for await ended in ends {
      #expect(ended == sibling.id)
      break
    }
    await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
    #expect(!sibling.signal(9))
  }

  @Test(
    "What cannot be run is refused with the reason, and nothing runs",
    arguments: [
      ("no-such-command-anywhere", nil, Errno.noSuchFileOrDirectory, "exec"),
      ("/etc/passwd", nil, .permissionDenied, "exec"),
      ("sh", "/no/such/directory", .noSuchFileOrDirectory, "chdir"),
    ] as [(String, String?, Errno, String)])
  func refused(name: String, directory: String?, errno: Errno, operation: String) throws {
    defer { loop.stop() }
    let error = #expect(throws: SystemError.self) {
      _ = try SiblingProcess.spawn(
        Command(name, environment: ["PATH": "/usr/bin:/bin"], directory: directory), on: loop
      ) { _ in Issue.record("nothing has begun") }
    }
    #expect(error?.errno == errno)
    if operation == "chdir" { #expect(error?.operation == operation) }
  }

  /// In a process of its own: in this one other tests open descriptors meanwhile.
  @Test("What the kernel refuses to run is reported as the child has it, and leaves no descriptor", .inOwnProcess)
  func refusedByExec() async {
    loop.stop()
    await #expect(processExitsWith: .success) {
      let loop = try PollLoop(name: "test")
      defer { loop.stop() }
      let path = "/tmp/graceful-\(UInt32.random(in: .min ... .max))"
      let file = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
        permissions: FilePermissions(rawValue: 0o700))
      try file.writeAll("no program\n".utf8)
      try file.close()
      defer { _ = path.withCString { cgs_unlink($0) } }
      func open() -> Int32 {
        var numbers = [Int32](repeating: 0, count: 4096)
        return cgs_descriptors(&numbers, numbers.count)
      }
      let before = open()
      for _ in 0..<30 {
        let error = #expect(throws: SystemError.self) {
          _ = try SiblingProcess.spawn(Command(path, environment: [:]), on: loop) { _ in
            Issue.record("nothing has begun")
          }
        }
        #expect(error?.operation == "clone")
        #expect(error?.errno == .execFormatError)
      }
      #expect(open() == before)
    }
  }

  @Test("Forty at once are each seen to end, and no descriptor is left") func many() async throws {
    defer { loop.stop() }
    let (ends, end) = AsyncStream.makeStream(of: ProcessID.self)
    var expected: Set<ProcessID> = []
    for _ in 0..<40 {
      expected.insert(
        try SiblingProcess.spawn(Command("/bin/true", environment: [:]), on: loop) { end.yield($0) }.id)
    }
    for await ended in ends {
      #expect(expected.remove(ended) != nil)
      if expected.isEmpty { break }
    }
  }
}
