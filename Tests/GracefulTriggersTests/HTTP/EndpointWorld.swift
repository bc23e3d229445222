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

extension StopEndpoint.Decision {
  var response: StopEndpoint.Response? { if case .answer(let response) = next { response } else { nil } }
}
