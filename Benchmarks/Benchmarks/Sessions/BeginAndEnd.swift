import Benchmark
import Graceful
import Measuring

private let times = 200_000

@inline(never)
private func beginAndEnd(_ phase: Phase, _ times: Int, name: String? = nil) {
  do { for _ in 0..<times { try phase.beginSession(name).end() } } catch { fatalError("\(error)") }
}

/// On a phase at hand, without a name: the fast path.
func beginAndEnd(live: Int) {
  var none: OpenPhase?
  var many: (phase: OpenPhase, sessions: LiveSessions)?
  let pair = AtomicPair()
  Benchmark(
    "begin_and_end,_\(live)_live,_one_thread",
    configuration: Reading.configuration([Reading.each, Reading.pair, Reading.ofPair, Reading.ofNoneLive])
  ) { benchmark in
    guard let none, let many else { return }
    let bare = Stopwatch.each(of: times) { pair.addAndSubtract(times) }
    let withNone = Stopwatch.each(of: times) { beginAndEnd(none.phase, times) }
    let each = Stopwatch.each(of: times) { beginAndEnd(many.phase.phase, times) }
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
    benchmark.read(Reading.ofNoneLive, each, percentOf: withNone)
  } setup: {
    none = await .open()
    let phase = await OpenPhase.open()
    many = (phase, LiveSessions(live, in: phase.phase))
  } teardown: {
    many?.sessions.end()
    await none?.close()
    await many?.phase.close()
  }
}

func beginAndEndOnAllCores(live: Int) {
  var many: (phase: OpenPhase, sessions: LiveSessions)?
  let pairs = (0..<Cores.count).map { _ in AtomicPair() }
  Benchmark(
    "begin_and_end,_\(live)_live,_all_cores",
    configuration: Reading.configuration([Reading.each, Reading.pair, Reading.ofPair, Reading.ofOneThread])
  ) { benchmark in
    guard let many else { return }
    let phase = many.phase.phase
    let bare = Cores.each(of: times) { pairs[$0].addAndSubtract(times) }
    let alone = Stopwatch.each(of: times) { beginAndEnd(phase, times) }
    let each = Cores.each(of: times) { _ in beginAndEnd(phase, times) }
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
    benchmark.read(Reading.ofOneThread, each, percentOf: alone)
  } setup: {
    let phase = await OpenPhase.open()
    many = (phase, LiveSessions(live, in: phase.phase))
  } teardown: {
    many?.sessions.end()
    await many?.phase.close()
  }
}

/// With a name: a lock and a look at the clock more.
func named(live: Int) {
  var none: OpenPhase?
  var many: (phase: OpenPhase, sessions: LiveSessions)?
  let pair = AtomicPair()
  let times = 50_000
  Benchmark(
    "begin_and_end_with_a_name,_\(live)_live",
    configuration: Reading.configuration(
      [Reading.each, Reading.pair, Reading.ofPair, Reading.ofNoneLive], tolerance: 150)
  ) { benchmark in
    guard let none, let many else { return }
    let bare = Stopwatch.each(of: times) { pair.addAndSubtract(times) }
    let withNone = Stopwatch.each(of: times) { beginAndEnd(none.phase, times, name: "POST /orders") }
    let each = Stopwatch.each(of: times) { beginAndEnd(many.phase.phase, times, name: "POST /orders") }
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
    benchmark.read(Reading.ofNoneLive, each, percentOf: withNone)
  } setup: {
    none = await .open()
    let phase = await OpenPhase.open()
    many = (phase, LiveSessions(live, in: phase.phase, name: "GET /events"))
  } teardown: {
    many?.sessions.end()
    await none?.close()
    await many?.phase.close()
  }
}

/// A session inside a session, as a request is in its connection.
func subWork() {
  var open: OpenPhase?
  let pair = AtomicPair()
  Benchmark(
    "begin_and_end_inside_a_session",
    configuration: Reading.configuration([Reading.each, Reading.pair, Reading.ofPair])
  ) { benchmark in
    guard let open else { return }
    let connection = try open.phase.beginSession()
    let bare = Stopwatch.each(of: times) { pair.addAndSubtract(times) }
    let each = Stopwatch.each(of: times) { for _ in 0..<times { connection.beginSession().end() } }
    connection.end()
    benchmark.read(Reading.each, each)
    benchmark.read(Reading.pair, bare)
    benchmark.read(Reading.ofPair, each, percentOf: bare)
  } setup: {
    open = await .open()
  } teardown: {
    await open?.close()
  }
}
