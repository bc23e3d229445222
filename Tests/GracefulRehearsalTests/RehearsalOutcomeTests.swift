import Testing

@testable import GracefulRehearsal

@Suite("The verdict") struct RehearsalOutcomeTests {
  func verdict(_ change: (inout RehearsalOutcome.Evidence) -> Void) -> RehearsalOutcome {
    var evidence = RehearsalOutcome.Evidence()
    evidence.requests = 1000
    evidence.asked = 20
    evidence.served = 20
    change(&evidence)
    return RehearsalOutcome(evidence)
  }

  @Test("Nothing lost, all restarts: passed, 0") func passed() {
    #expect(verdict { _ in }.exitCode == 0)
    #expect(verdict { _ in }.word == "passed")
  }

  @Test("One lost request fails it, and outranks missing restarts and what is left over") func lost() {
    #expect(verdict { $0.lost = 1 }.exitCode == 1)
    #expect(
      verdict {
        $0.lost = 1
        $0.served = 3
        $0.leftOver = 1
      }.description.contains("1 of 1000 requests"))
  }

  @Test("An old process that is left over fails it") func leftOver() {
    #expect(verdict { $0.leftOver = 1 }.exitCode == 1)
  }

  @Test("Too few restarts are no pass") func missing() {
    #expect(verdict { $0.served = 19 }.exitCode == 2)
  }

  @Test("Where it is not known which process answered, there is no pass; on trust there is, and it says so")
  func notKnown() {
    let unknown = verdict {
      $0.served = 18
      $0.notKnown = 2
    }
    #expect(unknown.exitCode == 2 && unknown.description.contains("after 2 restarts of 20 it is not known"))
    #expect(unknown.description.contains("--trust-restart"))
    #expect(
      verdict { $0.trusted = 3 }.description.hasSuffix(
        "in 20 restarts; 3 of them on trust: which process answered is not known."))
    #expect(
      verdict {
        $0.notKnown = 1; $0.lost = 1
      }.exitCode == 1)
  }

  @Test("No restart is no pass of restarts") func noRestarts() {
    let none = verdict {
      $0.asked = 0
      $0.served = 0
    }
    #expect(
      none
        == .passed("nothing was lost of 1000 requests. No restart was asked for: nothing is known about restarts."))
  }

  @Test("What is slower than it may be fails it, and a loss outranks that") func tooSlow() {
    let slow = verdict { $0.tooSlow = ["the p99 was 2.00 ms, above --max-p99"] }
    #expect(
      slow == .failed("nothing was lost of 1000 requests, but the p99 was 2.00 ms, above --max-p99."))
    #expect(
      verdict {
        $0.tooSlow = ["x"]; $0.lost = 1
      }.description.contains("lost"))
    var configuration = RehearsalConfiguration(graceful: "/g", environment: [:])
    configuration.maxP99 = .milliseconds(5)
    configuration.maxLatency = .milliseconds(50)
    let load = RehearsalReport.Load(
      connections: 1, requests: 1, answered: 1, failed: [:], announcedCloses: 0, idleCloses: 0,
      steady: LatencySummary(p99: 4, max: 50), restarting: LatencySummary(p99: 6, max: 51), between: LatencySummary())
    #expect(
      LatencyLimits(configuration).exceeded(by: [.new: load]) == [
        "the p99 of new during restarts was 6.00 ms, above --max-p99",
        "the slowest answer on new took 51.00 ms, above --max-latency",
      ])
  }

  @Test("A loss outranks what could not be done, and the sentence says both") func lostAndNotDone() {
    #expect(verdict { $0.obstacle = "it died." } == .notDone("it died."))
    let both = verdict {
      $0.obstacle = "the server died."
      $0.lost = 1
      $0.served = 1
    }
    #expect(both == .failed("1 of 1000 requests were lost in 1 restart; besides, the server died."))
    #expect(
      verdict {
        $0.obstacle = "the server died."
        $0.leftOver = 1
      }.exitCode == 2)
    #expect(
      verdict {
        $0.obstacle = "no such file."
        $0.requests = 0
      } == .notDone("no such file."))
  }

  @Test("One of a thing is not called many") func singular() {
    #expect(verdict { $0.leftOver = 1 }.description.hasSuffix("1 old process was left over."))
    #expect(verdict { $0.leftOver = 2 }.description.hasSuffix("2 old processes were left over."))
    let one = verdict {
      $0.asked = 1
      $0.served = 1
    }
    #expect(one.description.hasSuffix("in 1 restart."))
  }

  @Test("What is no finding about the server, or was counted wrongly, outranks even a loss") func obstacles() {
    #expect(
      verdict {
        $0.obstacle = "because."
        $0.isVoid = true
        $0.lost = 1
      } == .notDone("because."))
    #expect(
      verdict {
        $0.isBalanced = false
        $0.lost = 1
      }.exitCode == 2)
    #expect(verdict { $0.requests = 0 }.exitCode == 2)
  }

  @Test("Faults explain the restarts that they met, and no others; a fault that met nobody shows nothing")
  func faults() {
    #expect(
      verdict {
        $0.served = 10
        $0.faultsPlanned = 10
        $0.faultsTaken = 10
      }.exitCode == 0)
    #expect(
      verdict {
        $0.served = 9
        $0.faultsPlanned = 10
        $0.faultsTaken = 10
      }.exitCode == 2)
    #expect(
      verdict {
        $0.faultsPlanned = 10
        $0.faultsTaken = 9
      }.exitCode == 2)
  }

  @Test("Stops that did not end well are no pass; who was turned away is no loss, and is named") func stops() {
    func stops(_ change: (inout RehearsalOutcome.Evidence) -> Void) -> RehearsalOutcome {
      verdict {
        $0.areStops = true
        $0.turnedAway = 7
        change(&$0)
      }
    }
    #expect(
      stops { _ in }
        == .passed(
          "nothing was lost of 1000 requests in 20 stops; 7 of them could know, and were turned away."))
    #expect(
      stops { $0.served = 19 }
        == .notDone("only 19 of 20 stops ended with code 0 in time; nothing was lost meanwhile."))
    #expect(
      stops {
        $0.served = 0
        $0.lost = 1
      } == .failed("1 of 1000 requests were lost in 0 stops."))
  }

  @Test("What cannot be rehearsed is refused before anything is started") func usage() {
    func usage(_ change: (inout RehearsalConfiguration) -> Void) -> String? {
      var configuration = RehearsalConfiguration(graceful: "/g", environment: [:])
      change(&configuration)
      return configuration.usageError
    }
    #expect(usage { _ in } == nil)
    #expect(usage { $0.command = ["nginx"] } != nil)
    #expect(
      usage {
        $0.command = ["nginx"]
        $0.url = TargetURL("http://127.0.0.1")
      } == nil)
    #expect(usage { $0.fault = .kill } == nil)
    #expect(
      usage {
        $0.fault = .kill
        $0.restart = .signal(number: 1, name: "HUP")
      } != nil)
    #expect(
      usage {
        $0.fault = .hang
        $0.command = ["nginx"]
        $0.url = TargetURL("http://127.0.0.1")
      } != nil)
    let stop = StopMethod("signal:TERM")
    #expect(stop != nil && usage { $0.stop = stop } == nil)
    #expect(
      usage {
        $0.stop = stop
        $0.restart = .signal(number: 1, name: "HUP")
      } != nil)
    #expect(
      usage {
        $0.stop = stop
        $0.fault = .kill
      } != nil)
    #expect(
      usage {
        $0.stop = stop
        $0.command = ["graceful", "demo", "--listen", "127.0.0.1:0"]
      } != nil)
    #expect(
      usage {
        $0.stop = stop
        $0.command = ["graceful", "demo", "--listen=127.0.0.1:8080"]
      } == nil)
    #expect(usage { $0.connections = 0 } != nil)
    #expect(usage { $0.restarts = -1 } != nil)
  }
}
