import Foundation
import Synchronization

/// Runs a body on so many threads at once, and waits for all of them.
///
/// Threads, not tasks: the system takes the processor away from them wherever they are, also when there are fewer
/// processors than threads.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) async {
  await withCheckedContinuation { continuation in
    let done = Done(left: count, continuation)
    for index in 0..<count {
      Thread.detachNewThread {
        body(index)
        done.oneLess()
      }
    }
  }
}

private final class Done: Sendable {
  private let left: Atomic<Int>
  private let continuation: CheckedContinuation<Void, Never>

  init(left: Int, _ continuation: CheckedContinuation<Void, Never>) {
    self.left = Atomic(left)
    self.continuation = continuation
  }

  func oneLess() {
    if left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0 { continuation.resume() }
  }
}
