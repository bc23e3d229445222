import CGracefulSystem
import Foundation
import Graceful
import TestHost
import Testing

/// T6, in a PID namespace of its own.
@Suite(
  "As process 1", .sharing(.processors), .timeLimit(.minutes(3)),
  .enabled(
    if: Namespace.isPermitted(Namespace.ofProcesses),
    "needs the permission to make a PID namespace: unshare --pid --mount-proc"))
struct FirstProcessTests {
  @Test("Trap 17: a SIGTERM before anything listens is kept, and is an ordinary stop", .serialized, arguments: 0..<5)
  func early(round: Int) async throws {
    let namespace = try PIDNamespace(["early"])
    let end = try #require(await namespace.program.end(), "stuck")
    #expect(end.code == 0, "\(end.errors)")
    #expect(end.errors.contains("asked by SIGTERM"), "\(end.errors)")
    #expect(namespace.program.printed().hasPrefix("main 1\n"))
  }

  @Test(
    "Trap 17: a SIGTERM from outside counts from the moment on in which it is caught at all", .serialized,
    arguments: 0..<10)
  func firstMoment(round: Int) async throws {
    let namespace = try PIDNamespace(["serve"])
    #expect(await namespace.signalAsSoonAsCaught(15))
    let end = try #require(await namespace.program.end(), "it was lost")
    #expect(end.code == 0)
    #expect(end.errors.contains("asked by SIGTERM"), "\(end.errors)")
  }

  @Test("What came while nobody listened counts once, however often it came; SIGHUP that nobody wants ends nothing")
  func waiting() async throws {
    let namespace = try PIDNamespace(["wait"], input: true)
    #expect(await namespace.program.wait(for: "main 1\n", on: namespace.program.output) != nil)
    let first = try #require(await namespace.first())
    for signal: Int32 in [15, 15, 15, 1] { _ = cgs_kill(first, signal) }
    namespace.write("go\n")
    let end = try #require(await namespace.program.end())
    #expect(end.code == 0, "three would be an exit at once, 143\n\(end.errors)")
    #expect(end.errors.contains("asked by SIGTERM"), "\(end.errors)")
  }

  @Test("Signals work as anywhere else once it runs")
  func signals() async throws {
    let namespace = try PIDNamespace(["serve"])
    #expect(await namespace.program.wait(for: "ready\n", on: namespace.program.output) != nil)
    _ = cgs_kill(try #require(await namespace.first()), 2)
    let end = try #require(await namespace.program.end())
    #expect(end.code == 0)
    #expect(end.errors.contains("asked by SIGINT"), "\(end.errors)")
  }

  @Test("Trap 18: Orphans are reaped, and whoever waits for a child gets its exit status, however late")
  func children() async throws {
    let namespace = try PIDNamespace(["children"])
    let text = try #require(
      await namespace.program.wait(for: "late ", on: namespace.program.output, limit: .seconds(60)), "stuck")
    #expect(text.contains("prompt 5\n"), "\(text)")
    #expect(text.contains("zombies 0\n"), "\(text)")
    #expect(text.contains("watched 0 3\n"), "\(text)")
    #expect(text.contains("late 7"), "\(text)")
    _ = cgs_kill(try #require(await namespace.first()), 15)
    #expect(await namespace.program.end()?.code == 0)
  }

  @Test("Two hundred children of swift-subprocess get their exit status, while their orphans are reaped")
  func subprocess() async throws {
    let namespace = try PIDNamespace(["subprocess"])
    let text = try #require(
      await namespace.program.wait(for: "subprocess ", on: namespace.program.output, limit: .seconds(90)), "stuck")
    #expect(text.contains("subprocess 200 of 200"), "\(text)")
    // Of 320 orphans. Few children of unknown parents are left for a minute to the code that asks for their status.
    let zombies = text.split(separator: "\n").first { $0.hasPrefix("zombies ") }.flatMap { Int($0.dropFirst(8)) }
    #expect(try #require(zombies) <= 100, "\(text)")
    _ = cgs_kill(try #require(await namespace.first()), 15)
    #expect(await namespace.program.end()?.code == 0)
  }

  @Test("In a program that is not process 1 nothing is kept, and no signal has another disposition than it had")
  func elsewhere() async throws {
    #expect(!FirstProcess.isThis)
    FirstProcess.leave(1)
    let program = try ChildProgram("starting", ["1", "before"])
    #expect(await program.end()?.code == -15)
  }
}

/// A program of ours as the first one of a PID namespace.
private final class PIDNamespace: Sendable {
  let program: ChildProgram
  private let input: Int32

  /// - Parameter input: Whether it has a standard input that a test writes to.
  init(_ arguments: [String], input: Bool = false) throws {
    var ends: [Int32] = [-1, -1]
    if input { _ = cgs_pipe(&ends) }
    self.input = ends[1]
    program = try ChildProgram(
      "first-process", arguments, environment: ["PATH=/usr/bin:/bin"],
      under: [Namespace.unshare] + Namespace.ofProcesses,
      input: input ? ends[0] : nil)
    if input { _ = cgs_close(ends[0]) }
  }

  deinit { if input >= 0 { _ = cgs_close(input) } }

  func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = cgs_write(input, bytes, bytes.count)
  }

  /// The number that process 1 has outside.
  func first() async -> Int32? {
    await ChildProgram.onOwnThread { [program] in
      let until = ContinuousClock.now + .seconds(30)
      while ContinuousClock.now < until {
        if let child = Self.child(of: program.pid) { return child }
      }
      return nil
    }
  }

  /// Sends it as soon as the program has a handler for it, which is before its `main`.
  func signalAsSoonAsCaught(_ signal: Int32) async -> Bool {
    await ChildProgram.onOwnThread { [program] in
      let until = ContinuousClock.now + .seconds(30)
      while ContinuousClock.now < until {
        guard let child = Self.child(of: program.pid),
          let signals = SignalSets("/proc/\(child)/status"), signals.name == "TestProgram",
          signals.has(signal, in: "SigCgt")
        else { continue }
        return cgs_kill(child, signal) >= 0
      }
      return nil
    } ?? false
  }

  private static func child(of pid: Int32) -> Int32? {
    let text = try? String(contentsOfFile: "/proc/\(pid)/task/\(pid)/children", encoding: .utf8)
    return text?.split(separator: " ").first.flatMap { Int32($0) }
  }
}
