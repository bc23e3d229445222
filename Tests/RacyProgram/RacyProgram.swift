import CGracefulSystem
import Dispatch
import Foundation
import Synchronization

/// Two threads that share a number: with a race, or without one although it may look like one.
///
///     RacyProgram unguarded | two-mutexes | one-mutex | continuation [_exit]
///
/// What the thread sanitizer has to say about each is what the tests of it are about.
@main
struct RacyProgram {
  static func main() async {
    let arguments = CommandLine.arguments
    switch arguments.dropFirst().first {
    case "unguarded": onTwoThreads { _ in shared.number += 1 }
    case "two-mutexes": onTwoThreads { thread in guards[thread].hold { shared.number += 1 } }
    case "one-mutex": onTwoThreads { _ in guards[0].hold { countSlowly() } }
    case "continuation": await resumeEarly()
    default: cgs_exit_now(64)
    }
    print("end")
    if arguments.last == "_exit" { cgs_exit_now(0) }
  }

  private static let shared = Shared()
  private static let guards = [Guard(), Guard()]
  private static let rounds = 1000

  /// Nothing orders the two threads, so it is a race for the sanitizer even if they run one after the other.
  ///
  /// Threads, not queues: the same thread may serve two queues.
  private static func onTwoThreads(_ body: @escaping @Sendable (Int) -> Void) {
    let done = DispatchSemaphore(value: 0)
    for thread in 0..<2 {
      Thread.detachNewThread {
        for _ in 0..<rounds { body(thread) }
        done.signal()
      }
    }
    for _ in 0..<2 { done.wait() }
  }

  /// Every hundredth time it takes a millisecond: the other thread waits in the kernel by then, and is handed the lock.
  private static func countSlowly() {
    shared.number += 1
    if shared.number.isMultiple(of: 100) { _ = cgs_poll(nil, 0, 1) }
  }

  /// What the resuming thread has written is read after the wait, also when there was nothing to wait for any more.
  ///
  /// Every tenth time the closure takes a millisecond, so that it has surely been resumed by then.
  private static func resumeEarly() async {
    for round in 0..<rounds {
      let fresh = Shared()
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          fresh.number += 1
          continuation.resume()
        }
        if round.isMultiple(of: 10) { _ = cgs_poll(nil, 0, 1) }
      }
      fresh.number += 1
    }
  }
}

/// A number that no lock guards.
// Not Sendable at all: that is what this program is for.
private final class Shared: @unchecked Sendable {
  var number = 0
}

private final class Guard: Sendable {
  private let mutex = Mutex(())

  func hold(_ body: () -> Void) { mutex.withLock { _ in body() } }
}
