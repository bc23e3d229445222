import Graceful

func triggers() throws -> [Trigger] {
  let timer = Trigger("timer") { ask in
    ask(StopRequest(why: "it is time"))
    return {}
  }
  do {
    let leave = try timer.listen { request in print(request) }
    leave()
  } catch {
    let error: TriggerError = error
    print(error.reason)
  }
  return [timer, .signals, .files(StopFiles(directory: "/run/shop")), .control(socket: "/run/shop/control")]
}

func signals() async throws {
  let source: SignalSource = try onSignal([.hangup]) {
    print($0)
  } onError: {
    print($0)
  }
  source.stop()
  do {
    for await signal: Signal in try SignalArrivals(of: .user1, .user2) { print(signal) }
  } catch {
    let error: SignalError = error
    print(error.reason == .noSignals)
  }
}

func files() async throws {
  let files = StopFiles(directory: "/run/shop") { (refusal: StopFileRefusal) in print(refusal.reason == .stale) }
  let requests: StopFileRequests = try files.requests()
  for await request in requests {
    print(request)
    try files.signalStopped()
  }
  do {
    try await files.requestStopAndWait(timeout: .seconds(30))
  } catch {
    let error: StopFileError = error
    print(error.code == .notInTime, error.exitCode)
  }
}

func answering(_ shop: Lifecycle) {
  var endpoint = StopEndpoint()
  endpoint.stopsOnGet = true
  var memory = ReadyMemory()
  let snapshot = shop.snapshot()
  memory.see(snapshot)
  let verdict = endpoint.answer(
    to: StopEndpoint.Request("POST", "/shutdown"),
    seeing: StopEndpoint.View(snapshot: snapshot, wasReady: memory.wasReady, json: { $0.json() }),
    token: StopToken("0123456789abcdef0123456789abcdef"))
  let answer = StopAnswer(snapshot)
  print(verdict != nil, answer.state == .running)
}

func handingOver(_ shop: Lifecycle) async throws {
  var configuration = Handover.Configuration(socket: "/run/shop/handover.sock")
  configuration.limits = HandoverLimits()
  configuration.limits.ready = .seconds(20)
  configuration.onEvent = { (event: HandoverEvent) in
    if event.kind == .tookOver { print(event.process ?? 0, event.reason ?? "") }
  }
  shop.phase("web") { [configuration] phase in
    try await shop.withHandover(configuration, for: phase, restartOn: .hangup) { handover in
      let listener: OwnedDescriptor = try handover.listener("http", on: ListenAddress(host: "127.0.0.1", port: 80))
      let acceptor = Acceptor(accept: {}, pause: { done in done() })
      try await phase.takeOver(handover, accepting: acceptor)
      listener.close()
    }
  }
  do {
    let handover = try await Handover.join(configuration)
    handover.restart()
  } catch {
    let error: HandoverError = error
    let underlying: SystemError? = error.underlying
    print(error.code == .lost, underlying?.advice ?? "", DescriptorLabel(name: "http").metadata)
  }
}

extension StopRequest.Source {
  static func queue(_ sender: String) -> Self { Self(kind: "queue", detail: sender, escalatesWhenRepeated: true) }
}

/// A trigger that answers, and has a source of its own.
func answeringTrigger() -> Trigger {
  Trigger.answering("queue") { stops in
    stops.request(StopRequest(source: .queue("shop"), why: "it is time")) { answer in
      guard answer.state != .refused else { return print(answer.refusal ?? "") }
      print(answer.state, answer.exitCode ?? 0, answer.summary ?? "")
    }
    return {}
  }
}
