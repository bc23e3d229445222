import Dispatch
import Foundation
import Measuring
import Synchronization

/// Every core at once, each for itself.
enum Cores {
  static let count = ProcessInfo.processInfo.activeProcessorCount

  /// The mean over the cores of what one operation took there, in the fastest of its rounds.
  static func each(of count: Int, _ work: @Sendable (_ core: Int) -> Void) -> Double {
    let sum = Mutex(0.0)
    DispatchQueue.concurrentPerform(iterations: Cores.count) { core in
      let each = Stopwatch.each(of: count) { work(core) }
      sum.withLock { $0 += each }
    }
    return sum.withLock { $0 } / Double(Cores.count)
  }

  /// The same for what is asynchronous.
  static func each(of count: Int, _ work: @escaping @Sendable () async throws -> Void) async throws -> Double {
    try await withThrowingTaskGroup(of: Double.self) { group in
      for _ in 0..<Cores.count { group.addTask { try await Stopwatch.each(of: count) { try await work() } } }
      return try await group.reduce(0, +) / Double(Cores.count)
    }
  }
}
