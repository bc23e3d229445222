/// How long each step of a handover may take.
///
/// Time decides only before the commit: after it, an answer or a proven death does (H2).
public struct HandoverLimits: Equatable, Sendable {
  /// How long a peer that connected may take to say what it wants.
  ///
  /// 2 s by default; a peer that takes longer is cut off.
  public var greeting: Duration = .seconds(2)
  /// How long a successor waits for the socket to become free or its holder to answer, and for the whole offer.
  ///
  /// 10 s by default; then it fails, and the predecessor serves on.
  public var offer: Duration = .seconds(10)
  /// How long a successor may take from its start, or from the offer, until it says *ready*.
  ///
  /// 10 s by default; then the predecessor gives it up and serves on. A program that warms caches before it serves
  /// needs more.
  public var ready: Duration = .seconds(10)
  /// How long a successor waits for the commit after *ready*.
  ///
  /// 10 s by default; then it withdraws.
  public var commit: Duration = .seconds(10)
  /// How long a successor that was given up may take to let go of what it was given.
  ///
  /// 1 s by default; then it is killed, because it holds copies of the listeners, and clients would wait in their
  /// queues that are not served.
  public var letGo: Duration = .seconds(1)
  /// How long a successor looks for proof that the predecessor has died, when its connection ended without a word.
  ///
  /// 2 s by default.
  public var death: Duration = .seconds(2)

  /// The defaults.
  public init() {}
}
