import GracefulShutdown
import GracefulTriggers

/// What a request may meet, by its name.
enum EndpointWorld: String, CaseIterable, Sendable {
  case declared, starting, running, restarting, stopping, finished, alone, aloneAsked

  var view: StopEndpoint.View {
    var snapshot: LifecycleSnapshot? = Lifecycle("shop").snapshot()
    var (report, wasReady, isAsked): (LifecycleReport?, Bool, Bool) = (nil, true, false)
    switch self {
    case .declared: wasReady = false
    case .starting:
      snapshot?.state = .starting
      wasReady = false
    case .running: snapshot?.state = .running
    case .restarting: snapshot?.state = .starting
    case .stopping: snapshot?.state = .stopping
    case .finished:
      snapshot?.state = .finished
      report = Self.report
    case .alone: snapshot = nil
    case .aloneAsked: (snapshot, isAsked) = (nil, true)
    }
    return StopEndpoint.View(
      snapshot: snapshot, report: report, wasReady: wasReady, isAsked: isAsked, json: { "{\"state\":\"\($0.state)\"}" })
  }

  static let report = LifecycleReport(
    lifecycle: "shop", request: StopRequest(), mistakes: [], phases: [], stragglers: [Straggler(phase: "web")],
    ran: .seconds(1), took: .seconds(1), grace: .seconds(25), endedBySignal: nil, ignored: [])
}

extension StopEndpoint.Verdict {
  var response: StopEndpoint.Response? { if case .answer(let response) = next { response } else { nil } }
}

/// The same numbers each time: what was found once, is found again (SplitMix64).
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
