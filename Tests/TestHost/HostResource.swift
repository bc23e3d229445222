internal import Foundation

/// What all tests share, because those of all targets run in one process, and at the same time.
public struct HostResource: Hashable, Sendable {
  let name: String
  /// So many tests may have a part of it at once.
  let places: Int

  /// The processors, for tests that hold a limit against the clock, or start programs that do: few enough at once that
  /// none is late, and enough that their waiting costs little.
  public static let processors = Self(
    name: "processors", places: max(4, 4 * ProcessInfo.processInfo.activeProcessorCount))
  /// What this process does at each signal (sigaction(2)), and signals that it sends to itself.
  public static let signals = Self(name: "signals", places: 1)
  /// The threads of control sockets, which tests count by their name.
  public static let controlThreads = Self(name: "control threads", places: 1)
  /// The threads that watch stop files, which tests count by their name.
  public static let stopFileThreads = Self(name: "stop file threads", places: 1)
  /// One thread beside the pool for tests that reckon for seconds without a pause.
  static let reckoning = Self(name: "reckoning", places: 1)
}
