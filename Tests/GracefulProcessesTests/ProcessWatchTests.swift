import Foundation
import GracefulDescriptors
import GracefulProcesses
import SystemPackage
import TestHost
import Testing

@Suite("Watching and adopting processes", .serialized, .timeLimit(.minutes(1)))
struct ProcessWatchTests {
  /// A shell that prints the number of a process that it has started, and ends or waits for it.
  static func grandchild(
    _ script: String, on loop: PollLoop, pass: [Command.Descriptor] = []
  ) throws -> (child: ChildProcess, grandchild: ProcessID) {
    let (reader, writer) = try FileDescriptor.pipe(options: .closeOnExec)
    defer { try? reader.close() }
    let child = try {
      defer { try? writer.close() }
      return try ChildProcess.spawn(
        Command(
          "/bin/sh", arguments: ["-c", script], environment: ["PATH": "/usr/bin:/bin"],
          descriptors: [Command.Descriptor(ours: writer.rawValue, childs: 1)] + pass),
        on: loop)
    }()
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = try bytes.withUnsafeMutableBytes { try reader.read(into: $0) }
    let line = String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").first
    return (child, ProcessID(rawValue: try #require(line.flatMap { Int32($0) })))
  }

  @Test("The death of a process that is not our child is known") func stranger() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let (child, stranger) = try Self.grandchild("sleep 60 >/dev/null & echo $!; wait; exit 0", on: loop)
    let (ends, end) = AsyncStream.makeStream(of: Void.self)
    let watch = try ProcessWatch.start(stranger, on: loop) { end.yield() }
    #expect(watch.signal(9))
    for await _ in ends { break }
    #expect(await child.exit == .exited(0), "the shell that waited for it goes on")
    // Not before: until its parent has waited for it, it is a zombie, which takes signals (pidfd_send_signal(2)).
    #expect(!watch.signal(9))
  }

  @Test("A process that is not there cannot be watched") func nobody() throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let error = #expect(throws: SystemError.self) {
      _ = try ProcessWatch.start(ProcessID(rawValue: 0x3fff_ffff), on: loop) {}
    }
    #expect(error?.errno == .noSuchProcess)
  }

  @Test("A watch that was taken back says nothing") func cancelled() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let child = try ChildProcess.spawn(Command("/bin/sleep", arguments: ["60"], environment: [:]), on: loop)
    let watch = try ProcessWatch.start(child.id, on: loop) { Issue.record("it was taken back") }
    watch.cancel()
    child.signal(9)
    _ = await child.exit
    await withCheckedContinuation { continuation in loop.execute { continuation.resume() } }
  }

  /// In a process of its own: as a subreaper this one would reap what other tests wait for.
  @Test(
    "An orphan is adopted, and how it ended is learned; our own child's status stays with who waits for it",
    .inOwnProcess)
  func adopted() async {
    await #expect(processExitsWith: .success) {
      let loop = try PollLoop(name: "test")
      defer { loop.stop() }
      let (ends, end) = AsyncStream.makeStream(of: (ProcessID, ExitStatus).self)
      let reaper = try Subreaper(on: loop, every: .milliseconds(1)) { id, status in end.yield((id, status)) }
      reaper.start()
      defer { reaper.stop() }
      // The shell in between ends at once; the inner one outlives it, until its input ends.
      let (input, hold) = try FileDescriptor.pipe(options: .closeOnExec)
      defer { try? input.close() }
      let (child, orphan) = try ProcessWatchTests.grandchild(
        "sh -c 'echo $$; read x <&7; exit 7' & exit 3", on: loop,
        pass: [Command.Descriptor(ours: input.rawValue, childs: 7)])
      #expect(await child.exit == .exited(3))
      #expect(reaper.descendants().contains { $0.id == orphan })
      try hold.close()
      var learned: [ProcessID: ExitStatus] = [:]
      for await (id, status) in ends {
        learned[id] = status
        if id == orphan { break }
      }
      #expect(learned[orphan] == .exited(7))
      #expect(learned[child.id] == nil)
      #expect(reaper.status(of: orphan) == .exited(7))
      #expect(!reaper.descendants().contains { $0.id == orphan })
    }
  }
}
