import TestHost
import Testing

@testable import GracefulRehearsal

@Suite("A request and its class", .valuesOnly) struct RequestStateMachineTests {
  typealias Event = RequestStateMachine.Event
  static let good = Event.head(status: 200, echoedID: "me")

  static let table: [(String, [Event], RequestOutcome)] = [
    ("answered with its own id", [.connected, .firstByte, good, .body(bytes: 3), .end], .answered),
    ("answered with 299", [.connected, .firstByte, .head(status: 299, echoedID: "me"), .end], .answered),
    (
      "no id, the expected length", [.connected, .firstByte, .head(status: 200, echoedID: nil), .body(bytes: 5), .end],
      .answered
    ),
    (
      "no id, the length in pieces",
      [.connected, .head(status: 200, echoedID: nil), .body(bytes: 2), .body(bytes: 3), .end], .answered
    ),
    (
      "no id, another length", [.connected, .head(status: 200, echoedID: nil), .body(bytes: 4), .end],
      .failed(.wrongBody)
    ),
    (
      "another request's id", [.connected, .head(status: 200, echoedID: "you"), .body(bytes: 5), .end],
      .failed(.wrongBody)
    ),
    ("an error", [.connected, .firstByte, .head(status: 503, echoedID: "me"), .end], .failed(.badStatus)),
    ("a redirect", [.connected, .firstByte, .head(status: 302, echoedID: "me"), .end], .failed(.badStatus)),
    ("an error of somebody else", [.connected, .head(status: 500, echoedID: "you"), .end], .failed(.badStatus)),
    ("nobody listens", [.connectFailed(.refused)], .failed(.refused)),
    ("reset while connecting", [.connectFailed(.reset)], .failed(.reset)),
    ("no connection in time", [.connectFailed(.timedOut)], .failed(.timedOut)),
    ("our machine has no port", [.connectFailed(.ownMachine(errno: 99))], .notSent(errno: 99)),
    ("closed before a byte", [.connected, .closed], .failed(.closedBeforeByte)),
    ("reset before a byte", [.connected, .reset], .failed(.reset)),
    ("closed within the head", [.connected, .firstByte, .closed], .failed(.cutShort)),
    ("reset within the head", [.connected, .firstByte, .reset], .failed(.cutShort)),
    ("closed within the body", [.connected, .firstByte, good, .body(bytes: 1), .closed], .failed(.cutShort)),
    ("reset within the body", [.connected, .firstByte, good, .reset], .failed(.cutShort)),
    ("no byte in time", [.connected, .timedOut], .failed(.timedOut)),
    ("no end in time", [.connected, .firstByte, good, .body(bytes: 1), .timedOut], .failed(.timedOut)),
    ("not HTTP", [.connected, .firstByte, .malformed], .failed(.badStatus)),
    ("a body that was not expected", [.connected, good, .body(bytes: 5), .unexpectedBody, .end], .failed(.wrongBody)),
    ("bytes behind the answer", [.connected, good, .body(bytes: 5), .bytesBehind], .failed(.bytesBehind)),
    (
      "an error, and bytes behind it", [.connected, .head(status: 500, echoedID: nil), .bytesBehind],
      .failed(.badStatus)
    ),
    ("a body that is none", [.connected, .firstByte, good, .malformed], .failed(.wrongBody)),
  ]

  @Test("It ends in the class of what happened", arguments: table)
  func classes(name: String, events: [Event], expected: RequestOutcome) {
    var machine = RequestStateMachine(id: "me", expectedLength: 5, connected: false)
    let outcomes = events.compactMap { machine.receive($0) }
    #expect(outcomes == [expected])
    #expect(machine.outcome == expected)
  }

  @Test("A length that varies proves nothing") func unknownLength() {
    var machine = RequestStateMachine(id: "me", expectedLength: nil, connected: true)
    let outcomes = [.head(status: 200, echoedID: nil), .body(bytes: 4711), .end].compactMap { machine.receive($0) }
    #expect(outcomes == [.answered])
  }

  static let all: [Event] = [
    .connected, .connectFailed(.refused), .connectFailed(.ownMachine(errno: 24)), .firstByte, good,
    .head(status: 500, echoedID: nil), .body(bytes: 1), .unexpectedBody, .end, .bytesBehind, .closed,
    .reset, .malformed, .timedOut,
  ]

  @Test("Whatever happens in whatever order, it ends at most once, and each close or time limit ends it")
  func everySequence() {
    func walk(_ machine: RequestStateMachine, _ outcomes: Int, _ depth: Int) -> Int {
      var wrong = 0
      for event in Self.all {
        var next = machine
        let ended = outcomes + (next.receive(event) == nil ? 0 : 1)
        if ended > 1 || (ended == 1) != (next.outcome != nil) { wrong += 1 }
        // What ends a connection, or the time limit, always ends the request.
        let final: [Event] = [.closed, .reset, .malformed, .timedOut]
        if final.contains(event), next.outcome == nil { wrong += 1 }
        if depth > 1 { wrong += walk(next, ended, depth - 1) }
      }
      return wrong
    }
    #expect(walk(RequestStateMachine(id: "me", expectedLength: nil, connected: false), 0, 5) == 0)
    #expect(walk(RequestStateMachine(id: "me", expectedLength: 1, connected: true), 0, 5) == 0)
  }
}
