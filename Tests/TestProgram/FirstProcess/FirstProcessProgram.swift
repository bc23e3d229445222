import CGracefulSystem
import Foundation
import Graceful
import Synchronization

/// A program that is process 1 of a PID namespace, and says what it is told there.
///
///     TestProgram first-process MODE
///
/// - `early`: sends itself SIGTERM as the first thing of `main`, before anything listens.
/// - `wait`: writes `main`, and does nothing until a line comes on its standard input: then its lifecycle begins.
/// - `serve`: a lifecycle that runs until it is told to stop.
/// - `children`: leaves orphans behind and starts children, and says what becomes of them.
/// - `subprocess`: the same with swift-subprocess, many children at once.
enum FirstProcessProgram {
  static func main() async {
    let mode = TestProgram.arguments.first ?? ""
    if mode == "early" { _ = cgs_kill(cgs_process_id(), 15) }
    write("main \(cgs_process_id())\n")
    if mode == "wait" { _ = readLine() }
    let program = Lifecycle("first", grace: .seconds(60), lameDuck: .none)
    program.phase("web") { phase in
      phase.ready()
      write("ready\n")
      if mode == "children" { await leaveOrphans() }
      if mode == "subprocess" { await ManyChildren.run(saying: write) }
      await phase.turnToStop()
      write("turn\n")
    }
    await program.runAndExit()
  }

  private static func leaveOrphans() async {
    // Seen below the shell before that ends: an orphan for sure.
    shell("(exec sleep 3) & sleep 2")
    // More than a hundred whose parents end at once: whose they were cannot be known.
    shell("for i in $(seq 120); do (sleep 0.1 &) ; done")
    // Its status is asked for long after its end: Foundation waits for the end of its output's last holder.
    let late = process("sleep 12 & exit 7")
    let prompt = process("exit 5")
    prompt.waitUntilExit()
    write("prompt \(prompt.terminationStatus)\n")
    // The status of this child is not asked for during a while, and a descriptor stands for it.
    let watched = spawn("exit 3")
    let pidfd = cgs_pidfd_open(watched)
    _ = await elapsed(seconds: 9)
    // A busy machine may have come no further.
    for _ in 0..<40 where zombies(but: [watched, late.processIdentifier]) > 0 { _ = await elapsed(seconds: 1) }
    write("zombies \(zombies(but: [watched, late.processIdentifier]))\n")
    var how = cgs_exit()
    let result = cgs_reap(watched, &how)
    write("watched \(result) \(how.pid == watched ? how.code : -1)\n")
    _ = cgs_close(pidfd)
    late.waitUntilExit()
    write("late \(late.terminationStatus)\n")
  }

  private static func elapsed(seconds: Int) async {
    // sleeps on purpose: a program, not a test; what it waits for is that others wait.
    try? await Task.sleep(for: .seconds(seconds))
  }

  private static func shell(_ script: String) {
    let process = process(script)
    process.waitUntilExit()
  }

  private static func process(_ script: String) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", script]
    do { try process.run() } catch { write("\(error)\n") }
    return process
  }

  /// Starts a child that no code waits for.
  private static func spawn(_ script: String) -> Int32 {
    let words = ["/bin/sh", "-c", script]
    let texts: [UnsafeMutablePointer<CChar>?] = words.map { $0.withCString { strdup($0) } } + [nil]
    defer { texts.forEach { free($0) } }
    return texts.withUnsafeBufferPointer { arguments in
      var what = cgs_spawn(
        path: texts[0], arguments: arguments.baseAddress, environment: cgs_environment(), directory: nil,
        descriptors: nil, descriptor_pairs: 0)
      return cgs_spawn(&what)
    }
  }

  static func zombies(but known: [Int32] = []) -> Int {
    var pids = [Int32](repeating: 0, count: 4096)
    let count = Int(max(cgs_processes(&pids, pids.count), 0))
    return pids[..<count].count { pid in
      guard !known.contains(pid), let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
        let close = stat.lastIndex(of: ")")
      else { return false }
      return stat[close...].dropFirst(2).hasPrefix("Z")
    }
  }

  private static func write(_ line: String) {
    let bytes = Array(line.utf8)
    _ = cgs_write(1, bytes, bytes.count)
  }
}
