public import GracefulDescriptors

/// Why this process could not take part in a handover, and what to do.
public struct HandoverError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of a failure.
  ///
  /// New kinds may be added.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    private enum Kind: String { case path, foreign, refused, timedOut, givenUp, lost, withdrawn, system }
    private let kind: Kind
    /// The socket path cannot be used: its length, its owner, its directory, or what is there.
    public static let path = Code(kind: .path)
    /// Something answers at the socket path that is not of this kind.
    public static let foreign = Code(kind: .foreign)
    /// The process that serves refused, and says why.
    public static let refused = Code(kind: .refused)
    /// The process that serves did not answer in time.
    public static let timedOut = Code(kind: .timedOut)
    /// The process that serves gave this one up, and serves on.
    public static let givenUp = Code(kind: .givenUp)
    /// The connection ended and the other process lives: whether it serves is not known, so this process does not.
    public static let lost = Code(kind: .lost)
    /// This process withdrew by itself.
    public static let withdrawn = Code(kind: .withdrawn)
    /// A system call failed.
    public static let system = Code(kind: .system)

    /// Its name.
    public var description: String { kind.rawValue }
  }

  /// The kind of failure.
  public var code: Code
  /// The socket path.
  public var socket: String
  /// What happened, and what to do.
  public var reason: String
  /// The failed system call, where there was one.
  public var underlying: SystemError?

  init(_ code: Code, socket: String, reason: String, underlying: SystemError? = nil) {
    self.code = code
    self.socket = socket
    self.reason = reason
    self.underlying = underlying
  }

  init(_ refusal: SocketPath.Refusal, socket: String) {
    if case .system(let error) = refusal {
      self.init(.system, socket: socket, reason: error.description, underlying: error)
    } else {
      self.init(.path, socket: socket, reason: refusal.description)
    }
  }

  init(_ error: SystemError, socket: String) {
    self.init(.system, socket: socket, reason: error.description, underlying: error)
  }

  /// One sentence.
  public var description: String { reason }
}
