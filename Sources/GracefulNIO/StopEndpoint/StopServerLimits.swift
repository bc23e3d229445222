/// What the stop endpoint's own server lets others use of it.
public struct StopServerLimits: Sendable {
  /// How many connections may be open.
  ///
  /// 128. When one more comes, the oldest that has not sent its request is closed; those that wait for their answer stay.
  public var connections = 128

  /// How many may wait for their answer at the same time.
  ///
  /// 64. One more is told at once how far the stop is (202), whatever it asked for.
  public var waiting = 64

  /// How long a request may take to arrive, and an answer to be taken.
  ///
  /// 5 s. After that, 408.
  public var requestTime = Duration.seconds(5)

  /// How many bytes a request may have, its head and its body together.
  ///
  /// 16 KiB. Of more nothing is read, and the answer is 431.
  public var requestBytes = 16 * 1024

  /// How long bytes are read and thrown away after the answer, when the client does not close.
  ///
  /// 1 s. See ``DrainingHTTP1Configuration/linger``.
  public var linger = Duration.seconds(1)

  /// The defaults.
  public init() {}
}
