import TestHost
import GracefulDescriptors
import GracefulTesting
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

@Suite("A handover of which one system call fails", .serialized, .timeLimit(.minutes(5)))
struct EveryCallFailsTests {
  enum Outcome: Equatable {
    case owns
    case failed(HandoverError)
    case hangs
  }

  private func limits(_ limits: inout HandoverLimits) {
    limits.greeting = .seconds(2)
    limits.offer = .seconds(3)
    limits.ready = .seconds(3)
    limits.commit = .seconds(3)
    limits.death = .milliseconds(300)
  }

  /// Joins, listens, is ready: what a program does.
  private func serve(_ stage: Stage, _ who: String, _ calls: SocketCalls) async -> (Outcome, Generation?) {
    let box = Shared(Mutex<(Outcome, Generation?)?>(nil))
    let task = Task {
      let result: (Outcome, Generation?)
      do {
        let generation = try await stage.join(who, limits, calls: calls)
        do {
          try generation.listen()
          try await generation.ready()
          result = (.owns, generation)
        } catch {
          await generation.handover.leave()
          throw error
        }
      } catch let error as HandoverError {
        result = (.failed(error), nil)
      } catch let error as SystemError {
        result = (.failed(HandoverError(error, socket: stage.socket)), nil)
      }
      box.value.withLock { $0 = result }
    }
    do { try await poll(limit: .seconds(30)) { box.value.withLock { $0 != nil } } } catch {
      task.cancel()
      return (.hangs, nil)
    }
    return box.value.withLock { $0 } ?? (.hangs, nil)
  }

  @Test(
    "does not hang, leaks nothing, and leaves one owner or a clear error, whichever call it is",
    arguments: [Errno.tooManyOpenFiles, .ioError, .permissionDenied, .noMemory])
  func everyCall(errno: Errno) async throws {
    var number = 0
    var isFailing = true
    var outcomes: [String: Int] = [:]
    while isFailing {
      number += 1
      let failing = FailingSystemCalls(call: number, with: errno)
      let stage = try Stage()
      let what = "call \(number)"
      var first: (Outcome, Generation?)? = await serve(stage, "a", failing.calls)
      var second: (Outcome, Generation?)? = await serve(stage, "b", failing.calls)
      isFailing = failing.hasFailed
      let which: Comment = "\(what), \(failing.failed?.rawValue ?? "none"), \(errno)"
      #expect(first?.0 != .hangs, which)
      #expect(second?.0 != .hangs, which)
      for case .failed(let error)? in [first?.0, second?.0] {
        #expect(error.reason.count > 20, which)
        #expect(
          error.reason.contains(stage.socket) || error.underlying != nil || error.code == .withdrawn,
          "\(which): \(error)")
      }
      // The pause is done when the second owns, or the first has taken it back.
      let accepting = [first?.1?.accepts, second?.1?.accepts].count { $0 == true }
      let owning = [first?.0, second?.0].count { $0 == .owns }
      #expect(accepting <= 1, which)
      if owning > 0 { #expect(accepting == 1, which) }
      if !isFailing { #expect(second?.1?.handover.generation == 2, "without a failure it is a handover") }
      outcomes["\(owning) of two", default: 0] += 1
      await second?.1?.handover.leave()
      await first?.1?.handover.leave()
      first = nil
      second = nil
      await stage.ledger.expectAllClosed()
      guard number < 300 else {
        Issue.record("it does not come to an end")
        return
      }
    }
    #expect(number > 30)
    print("\(errno): \(number - 1) calls failed one by one: \(outcomes)")
  }
}
