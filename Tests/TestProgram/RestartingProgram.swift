import CGracefulSystem
import Graceful
import Logging
import Exploration
import Synchronization

/// Eight phases that fail again and again, and a SIGTERM while they do.
///
///     TestProgram restarting SEED MICROSECONDS
///
/// Each requires the second and the third before it. What requires an even one waits while that restarts, what requires an
/// odd one is started again after it. The program writes a line for each step, whole and at once: `+ 3` began, `* 3` is
/// about to be ready, `x 3` is about to fail, `- 3` has cleaned up; and sends the signal to itself that long after it
/// began to listen for signals. The seed says how long each step takes.
///
///     TestProgram restarting loop SECONDS
///
/// One phase that fails at once, by a policy without delays that never gives up: what does that cost?
///
///     TestProgram restarting crash INTENSITY
///
/// One phase that fails at once, by the policy that a user gets who says nothing: the table of its restarts.
enum RestartingProgram {
  private static let phases = 8
  private static let listening = Atomic<Int64>(0)
  private static let steps = Atomic<UInt64>(0)

  static func main() async {
    let arguments = TestProgram.arguments
    guard arguments.count == 2, let number = Int64(arguments[1]) else { return write("two arguments\n") }
    switch arguments[0] {
    case "loop": await loop(for: number)
    case "crash": await crash(intensity: Int(number))
    default: await restart(seed: UInt64(arguments[0]) ?? 0, stopAfter: number)
    }
  }

  private static func restart(seed: UInt64, stopAfter delay: Int64) async {
    let program = Lifecycle("restarting", grace: .seconds(10))
    var handles: [PhaseHandle] = []
    for number in 0..<phases {
      let requires = [number - 2, number - 3].filter { $0 >= 0 }.map { handles[$0] }
      var policy = RestartPolicy.onFailure(intensity: 10_000)
      policy.firstDelay = .milliseconds(1)
      policy.maximumDelay = .milliseconds(8)
      policy.dependents = number % 2 == 0 ? .wait : .restart
      policy.sessions = number % 3 == 0 ? .wait : .refuse
      handles.append(
        program.phase("\(number)", requires: requires, startLimit: .seconds(5), restart: policy) { phase in
          try await live(number, as: phase, seed)
        })
    }
    let clock = Trigger("clock") { _ in
      listening.store(cgs_monotonic_nanoseconds() + delay * 1000, ordering: .sequentiallyConsistent)
      _ = cgs_thread_start("sender", { _ in RestartingProgram.sendInTime() }, nil)
      return {}
    }
    await program.runAndExit(on: .signals, clock)
  }

  private struct Failure: Error {}

  private static func live(_ number: Int, as phase: Phase, _ seed: UInt64) async throws {
    write("+ \(number)\n")
    // sleeps on purpose: a program, not a test; its phases take their time.
    try? await Task.sleep(for: .microseconds(chance(seed, upTo: 1500)))
    if chance(seed, upTo: 4) == 0 {
      write("x \(number)\n")
      throw Failure()
    }
    write("* \(number)\n")
    phase.ready()
    let life = chance(seed, upTo: 30_000)
    do {
      // sleeps on purpose: until it fails, or is told to drain.
      try await phase.withCancellation(at: .drain) { try await Task.sleep(for: .microseconds(life)) }
    } catch {
      await phase.turnToStop()
    }
    if !phase.isStopRequested {
      write("x \(number)\n")
      throw Failure()
    }
    await phase.turnToStop()
    // sleeps on purpose: so that an end that comes too early is seen to come too early.
    try? await Task.sleep(for: .microseconds(chance(seed, upTo: 1000)))
    write("- \(number)\n")
  }

  private static func loop(for seconds: Int64) async {
    let program = Lifecycle("loop", logger: Logger(label: "loop") { _ in SwiftLogNoOpLogHandler() })
    var policy = RestartPolicy.onFailure()
    policy.firstDelay = .zero
    policy.window = .zero
    let runs = Atomic(0)
    program.phase("nothing", restart: policy) { _ in
      runs.add(1, ordering: .relaxed)
      throw Failure()
    }
    let clock = Trigger("clock") { request in
      let limit = Duration.seconds(seconds)
      let task = Task.detached {
        // sleeps on purpose: a program that is measured, not a test.
        try? await Task.sleep(for: limit)
        request(StopRequest(why: "measured"))
      }
      return { task.cancel() }
    }
    let report = await program.run(on: clock)
    write("\(runs.load(ordering: .relaxed)) runs in \(report.ran)\n")
  }

  private static func crash(intensity: Int) async {
    let program = Lifecycle("crash", logger: Logger(label: "crash") { _ in SwiftLogNoOpLogHandler() })
    program.phase("consumer", restart: .onFailure(intensity: intensity)) { _ in throw Failure() }
    let report = await program.run()
    for restart in report.phases[0].restarts {
      write("\(restart.after)\t\(restart.delay.map { "\($0)" } ?? "gave up")\n")
    }
    write(report.text)
  }

  /// On a thread of its own, to the microsecond; poll(2) knows milliseconds only.
  private static func sendInTime() {
    let instant = listening.load(ordering: .sequentiallyConsistent)
    while true {
      let left = instant - cgs_monotonic_nanoseconds()
      guard left > 0 else { break }
      if left > 2_000_000 { _ = cgs_poll(nil, 0, Int32(left / 1_000_000) - 1) }
    }
    _ = cgs_kill(cgs_process_id(), 15)
  }

  /// One number after the other, whichever thread takes it.
  private static func chance(_ seed: UInt64, upTo most: UInt64) -> Int64 {
    var random = SplitMix64(seed: seed, from: steps.add(1, ordering: .relaxed).oldValue)
    return Int64(random.next() % most)
  }

  private static func write(_ line: String) {
    let bytes = Array(line.utf8)
    _ = cgs_write(1, bytes, bytes.count)
  }
}
