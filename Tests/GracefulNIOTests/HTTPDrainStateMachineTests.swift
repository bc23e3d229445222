import TestHost
import Testing

@testable import GracefulNIO

private typealias Event = HTTPDrainStateMachine.Event
private typealias Action = HTTPDrainStateMachine.Action

private let plain = Event.requestHead(closes: false, expectsContinue: false)
private let expecting = Event.requestHead(closes: false, expectsContinue: true)
private let ok = Event.responseHead(closes: false, followed: false)

/// What must hold along every sequence of events, whatever the machine's inside is.
private struct Observer {
  var machine: HTTPDrainStateMachine
  var requestOpen = false
  var inFlight = false
  var responding = false
  var awaitsContinue = false
  var announced = false
  var mayAnnounceFollowed = false
  var draining = false
  var counts: [String: Int] = [:]
  var ending: ConnectionEnding?
  var path: [Event] = []

  init(answersExpectContinue: Bool) {
    machine = HTTPDrainStateMachine(answersExpectContinue: answersExpectContinue)
  }

  /// Whether the event was taken; what is ignored changes nothing, so nothing new comes behind it.
  mutating func take(_ event: Event) -> Bool {
    path.append(event)
    let before = machine
    let wasOver = ending != nil
    let actions = machine.receive(event)
    let ignored = actions.contains { if case .ignored = $0 { true } else { false } }
    if ignored {
      #expect(actions.count == 1 && machine == before, "\(path)")
      return false
    }
    #expect(!wasOver || actions.isEmpty, "\(path)")
    note(event)
    for action in actions { note(action, after: event) }
    if case .deadline = event {
      #expect(counts["close"] == 1 || ending != nil, "\(path)")
    }
    return true
  }

  private mutating func note(_ event: Event) {
    switch event {
    case .requestHead(let closes, let expectsContinue):
      #expect(!inFlight && !announced && counts["discardInput"] == nil, "\(path)")
      (inFlight, requestOpen, mayAnnounceFollowed) = (true, true, closes)
      (responding, awaitsContinue) = (false, expectsContinue)
    case .requestEnd: requestOpen = false
    case .inputClosed: mayAnnounceFollowed = true
    case .drain, .idleLimit, .deadline: draining = true
    default: break
    }
  }

  private mutating func note(_ action: Action, after event: Event) {
    switch action {
    case .admitNext:
      #expect(inFlight && !requestOpen && !announced, "\(path)")
      inFlight = false
    case .sendHead(let announcing):
      #expect(inFlight && !announced, "\(path)")
      responding = true
      guard announcing else { return }
      announced = true
      guard case .responseHead(let closes, let followed) = event else { return }
      let mayAnnounce = closes || mayAnnounceFollowed || (awaitsContinue && requestOpen)
      #expect(mayAnnounce || (draining && !followed), "\(path)")
    case .sendContinue:
      #expect(event == .headHandled && inFlight && requestOpen && awaitsContinue && !responding, "\(path)")
      awaitsContinue = false
    case .sendInterim where event == .interimHead(continues: true): awaitsContinue = false
    case .dropInterim: #expect(event == .interimHead(continues: true) && !awaitsContinue, "\(path)")
    case .closeOutput: #expect(event == .flushed, "\(path)")
    case .ended(let ending):
      #expect(self.ending == nil && event == .channelClosed, "\(path)")
      self.ending = ending
    default: break
    }
    let name = String(describing: action).prefix { $0 != "(" }
    guard ["close", "discardInput", "awaitFlush", "closeOutput", "startLinger", "answer"].contains(name) else { return }
    counts[String(name), default: 0] += 1
    #expect(counts[String(name)] == 1, "\(action) twice: \(path)")
  }
}

@Suite("What a connection that drains may do next", .valuesOnly)
struct HTTPDrainStateMachineTests {
  private func run(_ events: [Event], answersExpectContinue: Bool = true) -> [Action] {
    var machine = HTTPDrainStateMachine(answersExpectContinue: answersExpectContinue)
    return events.flatMap { machine.receive($0) }
  }

  private static let all: [Event] = [
    plain, .requestHead(closes: true, expectsContinue: false), expecting, .headHandled, .requestEnd,
    .requestMalformed, .inputClosed, .interimHead(continues: true), .interimHead(continues: false), ok,
    .responseHead(closes: true, followed: true), .responseHead(closes: false, followed: true), .responseEnd,
    .responseRefused(begun: true), .flushed, .lingerEnded,
    .drain, .idleLimit(followed: false), .idleLimit(followed: true), .deadline(followed: true), .channelClosed,
  ]

  @Test(
    "Along every sequence of up to seven events the rules hold, and the deadline ends every one",
    arguments: [true, false])
  func everySequence(answersExpectContinue: Bool) {
    // Two sequences that lead to the same have the same future: it is looked at once.
    var seen: Set<String> = []
    var frontier = [Observer(answersExpectContinue: answersExpectContinue)]
    for _ in 0..<7 {
      var next: [Observer] = []
      for observer in frontier {
        var ended = observer
        _ = ended.take(.deadline(followed: false))
        _ = ended.take(.channelClosed)
        #expect(ended.ending != nil, "\(ended.path)")
        for event in Self.all {
          var copy = observer
          guard copy.take(event) else { continue }
          let seenOutside = [
            copy.requestOpen, copy.inFlight, copy.responding, copy.awaitsContinue, copy.announced,
            copy.mayAnnounceFollowed, copy.draining,
          ]
          let counted = copy.counts.sorted { $0.key < $1.key }
          let key = "\(copy.machine) \(seenOutside) \(counted) \(String(describing: copy.ending))"
          if seen.insert(key).inserted { next.append(copy) }
        }
      }
      frontier = next
    }
    #expect(seen.count > 100)
  }

  @Test("A response announces the close exactly if the connection drains and nothing lies behind its request")
  func announcement() {
    for draining in [false, true] {
      for followed in [false, true] {
        let events: [Event] =
          (draining ? [.drain] : []) + [plain, .requestEnd, .responseHead(closes: false, followed: followed)]
        #expect(run(events) == [.sendHead(announcingClose: draining && !followed)])
      }
    }
  }

  @Test("After the announced response: discard, flush, half-close, linger, close")
  func theEnd() {
    #expect(
      run([.drain, plain, .requestEnd, ok, .responseEnd, .flushed, .lingerEnded, .channelClosed]) == [
        .sendHead(announcingClose: true), .discardInput, .awaitFlush, .closeOutput, .startLinger(.full), .close,
        .ended(.finished),
      ])
  }

  @Test("A response that began before the drain ends normally, and the connection waits for the next request")
  func begunBefore() {
    #expect(
      run([plain, .requestEnd, ok, .drain, .responseEnd, plain, .requestEnd, ok]) == [
        .sendHead(announcingClose: false), .admitNext, .sendHead(announcingClose: true),
      ])
  }

  @Test("An announced response that ends before its request waits for the request, unless the close was asked for")
  func endsBeforeRequest() {
    #expect(
      run([.drain, plain, ok, .responseEnd, .requestEnd]) == [
        .sendHead(announcingClose: true), .discardInput, .awaitFlush,
      ])
    #expect(
      run([plain, .responseHead(closes: true, followed: true), .responseEnd]) == [
        .sendHead(announcingClose: true), .discardInput, .awaitFlush,
      ])
  }

  @Test("An interim response does not end the request, and what it invites is read")
  func interim() {
    #expect(
      run([
        expecting, .interimHead(continues: true), .headHandled, .interimHead(continues: false), ok, .responseEnd,
        .requestEnd,
      ])
        == [.sendInterim, .sendInterim, .sendHead(announcingClose: false), .admitNext])
    #expect(run([expecting, ok]) == [.sendHead(announcingClose: true)])
  }

  @Test("A client that waits for its 100 is told to continue when its handler has returned without a word")
  func toldToContinue() {
    #expect(run([expecting, .headHandled]) == [.sendContinue])
    // An early hint lets no client go on.
    #expect(run([expecting, .interimHead(continues: false), .headHandled]) == [.sendInterim, .sendContinue])
    #expect(run([expecting, .headHandled, .interimHead(continues: true)]) == [.sendContinue, .dropInterim])
    #expect(run([plain, .headHandled]) == [])
    #expect(run([expecting, .headHandled], answersExpectContinue: false) == [])
    #expect(run([expecting, ok, .headHandled]) == [.sendHead(announcingClose: true)])
    #expect(
      run([expecting, ok, .responseEnd, .headHandled]) == [
        .sendHead(announcingClose: true), .discardInput, .awaitFlush,
      ])
  }

  @Test("Whoever was told to continue sends a body, so the response announces the close only for other reasons")
  func closeAfterContinue() {
    for draining in [false, true] {
      for followed in [false, true] {
        let response = Event.responseHead(closes: false, followed: followed)
        let events: [Event] = (draining ? [.drain] : []) + [expecting, .headHandled, response]
        #expect(run(events) == [.sendContinue, .sendHead(announcingClose: draining && !followed)])
      }
    }
    #expect(
      run([expecting, .interimHead(continues: false), ok]) == [.sendInterim, .sendHead(announcingClose: true)])
  }

  @Test("At the limit an idle connection is half-closed, one that receives a request is not")
  func idleLimit() {
    #expect(
      run([.idleLimit(followed: false), .flushed, .channelClosed]) == [
        .discardInput, .awaitFlush, .closeOutput, .startLinger(.brief), .ended(.closedIdle),
      ])
    #expect(run([.idleLimit(followed: true), plain, .requestEnd, ok]) == [.sendHead(announcingClose: true)])
    #expect(
      run([plain, .requestEnd, .responseHead(closes: false, followed: true), .idleLimit(followed: true), .responseEnd])
        == [
          .sendHead(announcingClose: false), .admitNext, .checkIdle,
        ])
  }

  @Test(
    "How a connection ended depends on what was in flight",
    arguments: [
      ([.channelClosed], .finished),
      ([.deadline(followed: false), .channelClosed], .closedIdle),
      ([.deadline(followed: true), .channelClosed], .cut),
      ([plain, .channelClosed], .broken),
      ([plain, .requestEnd, .deadline(followed: false), .channelClosed], .cut),
      ([plain, .requestEnd, ok, .responseEnd, .channelClosed], .finished),
      ([.drain, plain, .requestEnd, ok, .responseEnd, .channelClosed], .broken),
      ([.drain, plain, .requestEnd, ok, .responseEnd, .deadline(followed: false), .channelClosed], .cut),
      (
        [.drain, plain, .requestEnd, ok, .responseEnd, .flushed, .deadline(followed: false), .channelClosed], .finished
      ),
      ([plain, .requestEnd, ok, .responseRefused(begun: true), .flushed, .channelClosed], .broken),
      ([.requestMalformed, .flushed, .channelClosed], .finished),
    ] as [([HTTPDrainStateMachine.Event], ConnectionEnding)])
  func endings(events: [HTTPDrainStateMachine.Event], ending: ConnectionEnding) {
    #expect(run(events).last == .ended(ending))
  }
}
