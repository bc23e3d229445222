import GracefulShutdown
import Testing

@Suite("The source of a stop request")
struct StopSourceTests {
  private typealias Source = StopRequest.Source

  @Test("of a user's own has its own words, and is no other that reads alike")
  func own() {
    let consul = Source(kind: "consul", detail: "shop/stop")
    #expect("\(consul)" == "consul shop/stop" && consul.kind == "consul" && consul.detail == "shop/stop")
    #expect("\(Source(kind: "consul"))" == "consul")
    #expect(Source(kind: "http") != .http && Source(kind: "signal", detail: "15") != .signal(15))
    #expect(Source(kind: "signal", detail: "15").signal == nil)
    #expect(
      !consul.escalatesWhenRepeated
        && consul != Source(kind: "consul", detail: "shop/stop", escalatesWhenRepeated: true))
  }

  @Test("of the package tells what it is and which one")
  func builtIn() {
    #expect(Source.signal(15).kind == "signal" && Source.signal(15).detail == "15")
    #expect(Source.successor(7).detail == "7" && Source.phaseFailed("web").detail == "web" && Source.http.detail == "")
    #expect(Source.signal(2).escalatesWhenRepeated && !Source.signal(1).escalatesWhenRepeated)
  }

  @Test("of a user's own that says so escalates when it is repeated, by itself: a signal beside it joins")
  func escalates() {
    typealias Table = StateMachineTests
    var machine = Table.running(Table.chain())
    let loud = StopRequest(source: Source(kind: "console", escalatesWhenRepeated: true))
    _ = machine.receive(.stop(loud), at: Table.at(0))
    #expect(machine.receive(.stop(Table.terminate), at: Table.at(1)).isEmpty)
    for _ in 0..<3 {
      #expect(machine.receive(.stop(StopRequest(source: Source(kind: "quiet"))), at: Table.at(1)).isEmpty)
    }
    let second = machine.receive(.stop(loud), at: Table.at(2))
    #expect(second.contains { if case .phase(2, .cancel) = $0 { true } else { false } })
    // No signal has ended it, so the exit code is not that of one.
    #expect(Table.report(machine.receive(.stop(loud), at: Table.at(3)))?.exitCode == 124)
  }
}
