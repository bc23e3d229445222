internal import GracefulSystem
internal import SystemPackage

/// A stop by files that did not come about.
public struct StopFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What kind of failure it is.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Code: Hashable, Sendable, CustomStringConvertible {
    /// One word.
    public let description: String

    /// The time was over before the program had stopped.
    ///
    /// The request has been taken back, unless the program had taken it.
    public static var notInTime: Self { Self(description: "notInTime") }
    /// No program can be there to hear it: the directory does not exist.
    public static var nobodyThere: Self { Self(description: "nobodyThere") }
    /// The files, or their directory, are another user's, or not what they should be.
    public static var notAllowed: Self { Self(description: "notAllowed") }
    /// The waiting was ended from outside: its task was cancelled.
    public static var interrupted: Self { Self(description: "interrupted") }
    /// A name that cannot be a file's.
    public static var badName: Self { Self(description: "badName") }
    /// The system refused: a full disk, no descriptor left.
    public static var system: Self { Self(description: "system") }
  }

  /// What kind of failure it is.
  public let code: Code
  /// The file or directory.
  public let path: String
  /// Why, and what to do.
  public let reason: String

  init(_ code: Code, path: String, _ reason: String) {
    self.code = code
    self.path = path
    self.reason = reason
  }

  /// From a result that is `-errno`.
  init(_ operation: String, _ path: String, result: some BinaryInteger) {
    let errno = Errno(rawValue: -CInt(truncatingIfNeeded: result))
    let refused: Set<Errno> = [.permissionDenied, .notPermitted, .readOnlyFileSystem]
    self.init(refused.contains(errno) ? .notAllowed : .system, path: path, "\(operation) failed: \(errno)")
  }

  init(_ error: SystemError, _ path: String) { self.init(error.operation, path, result: -error.errno.rawValue) }

  /// One sentence.
  public var description: String { "\(path): \(reason)" }

  /// As `graceful stop` exits: 124 not in time, 69 no directory, 77 not allowed, 64 a bad name, 74 the system refused
  /// (sysexits(3)).
  ///
  /// The command `stop` exits with 1 when it is not in time, as the one of `noamt/stop` does.
  public var exitCode: Int32 {
    switch code {
    case .notInTime, .interrupted: 124
    case .nobodyThere: 69
    case .notAllowed: 77
    case .badName: 64
    default: 74
    }
  }
}
