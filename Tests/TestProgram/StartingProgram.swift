import CGracefulSystem
import Graceful
import Exploration
import Synchronization

/// Twelve phases, each requiring the third and the fourth before it, and a SIGTERM while they start.
///
/// It writes a line for each step, whole and at once: `+ 3` began, `* 3` is about to be ready, `- 3` has cleaned up;
/// and `= 9000` when all are ready, that many microseconds after it began to listen for signals.
///
///     TestProgram starting SEED [MICROSECONDS|before|listening|first]
///
/// It sends the signal to itself that long after it began to listen; without a number, when all are ready. The seed says
/// how long each phase takes. The words are moments: `before` it listens, as soon as it is `listening` and before any
/// phase starts, and as the first thing that phase 0 does, which then becomes ready only when it has heard of the stop.
enum StartingProgram {
  private static let phases = 12
  private static let seed = TestProgram.arguments.first.flatMap { UInt64($0) } ?? 0
  private static let moment = TestProgram.arguments.count > 1 ? TestProgram.arguments[1] : ""
  private static let delay = Int64(moment)
  private static let listening = Atomic<Int64>(0)
  private static let ready = Atomic(0)

  static func main() async {
    let program = Lifecycle("starting", grace: .seconds(10))
    var handles: [PhaseHandle] = []
    for number in 0..<phases {
      let requires = [number - 3, number - 4].filter { $0 >= 0 }.map { handles[$0] }
      handles.append(program.phase("\(number)", requires: requires) { phase in await live(number, as: phase) })
    }
    // Triggers listen in this order, and before any phase starts: the clock runs from the first moment at which SIGTERM
    // does not simply kill, and a signal may well come before the first phase begins.
    let clock = Trigger("clock") { _ in
      listening.store(cgs_monotonic_nanoseconds(), ordering: .sequentiallyConsistent)
      if delay != nil { _ = cgs_thread_start("sender", { _ in StartingProgram.sendInTime() }, nil) }
      if moment == "listening" { send() }
      return {}
    }
    if moment == "before" { send() }
    await program.runAndExit(on: .signals, clock)
  }

  private static func live(_ number: Int, as phase: Phase) async {
    write("+ \(number)\n")
    if moment == "first", number == 0 {
      send()
      await phase.stopRequested()
    }
    // sleeps on purpose: a program, not a test; its phases take their time.
    try? await Task.sleep(for: .microseconds(duration(of: number, upTo: 4000)))
    write("* \(number)\n")
    phase.ready()
    if ready.add(1, ordering: .sequentiallyConsistent).newValue == phases { allAreReady() }
    await phase.turnToStop()
    // sleeps on purpose: so that an end that comes too early is seen to come too early.
    try? await Task.sleep(for: .microseconds(duration(of: phases + number, upTo: 1500)))
    write("- \(number)\n")
  }

  private static func allAreReady() {
    let took = cgs_monotonic_nanoseconds() - listening.load(ordering: .sequentiallyConsistent)
    write("= \(took / 1000)\n")
    if moment.isEmpty { send() }
  }

  /// On a thread of its own, to the microsecond; poll(2) knows milliseconds only.
  private static func sendInTime() {
    let instant = listening.load(ordering: .sequentiallyConsistent) + (delay ?? 0) * 1000
    while true {
      let left = instant - cgs_monotonic_nanoseconds()
      guard left > 0 else { break }
      if left > 2_000_000 { _ = cgs_poll(nil, 0, Int32(left / 1_000_000) - 1) }
    }
    send()
  }

  private static func send() { _ = cgs_kill(cgs_process_id(), 15) }

  /// The same in each run with the same seed.
  private static func duration(of step: Int, upTo most: UInt64) -> Int64 {
    var random = SplitMix64(seed: seed, from: UInt64(step))
    return Int64(random.next() % most)
  }

  private static func write(_ line: String) {
    let bytes = Array(line.utf8)
    _ = cgs_write(1, bytes, bytes.count)
  }
}
