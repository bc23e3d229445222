import CGracefulSystem
import GracefulDescriptors
import Synchronization
import Testing

@testable import GracefulProcesses

@Suite("Children that somebody asks about", .timeLimit(.minutes(1)))
struct WatchedProcessesTests {
  @Test("are those that a descriptor stands for, until they are reaped")
  func watched() throws {
    let child = try Spawn.run(Command("/bin/sh", arguments: ["-c", "exit 3"], environment: [:]))
    #expect(!WatchedProcesses.watched().contains(child))
    let pidfd = cgs_pidfd_open(child.rawValue)
    defer { _ = cgs_close(pidfd) }
    #expect(WatchedProcesses.watched().contains(child))
    // Dead, and not reaped: still.
    var dead = cgs_poll(fd: pidfd, wanted: Int16(CGS_POLL_IN), happened: 0)
    #expect(cgs_poll(&dead, 1, 30_000) == 1)
    #expect(WatchedProcesses.watched().contains(child))
    var how = cgs_exit()
    #expect(cgs_reap(child.rawValue, &how) == 0)
    #expect(how.code == 3)
    #expect(!WatchedProcesses.watched().contains(child))
  }

  @Test("are those that a thread has started here, for as long as it lives")
  func startedHere() async throws {
    let loop = try PollLoop(name: "starter")
    let child: ProcessID? = await withCheckedContinuation { continuation in
      loop.execute {
        continuation.resume(
          returning: try? Spawn.run(Command("/bin/sh", arguments: ["-c", "exit 0"], environment: [:])))
      }
    }
    let id = try #require(child)
    #expect(WatchedProcesses.startedHere().contains(id))
    var how = cgs_exit()
    #expect(cgs_reap_waiting(id.rawValue, &how) == 0)
    #expect(!WatchedProcesses.startedHere().contains(id))
    loop.stop()
  }

  @Test(
    "What is no pidfd stands for nobody",
    arguments: ["", "pos:\t0\nflags:\t02\n", "Pid:\t-1\n", "Pid:\t0\n", "Pid:\tx\n", "NSpid:\t7\n"])
  func others(info: String) { #expect(WatchedProcesses.process(in: info) == nil) }

  @Test("As proc_pid_fdinfo(5) has it")
  func pidfd() {
    #expect(WatchedProcesses.process(in: "pos:\t0\nflags:\t02000002\nPid:\t4711\nNSpid:\t4711\n")?.rawValue == 4711)
  }
}
