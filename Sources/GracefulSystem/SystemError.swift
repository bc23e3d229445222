public import SystemPackage

/// A system call that failed: which, on what, why, and what the caller can do.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The system call, by its name.
  public var operation: String
  /// What it was tried on: a path, an address, a descriptor, a process.
  public var subject: String
  /// Why the system refused.
  public var errno: Errno
  /// What its reader can do; empty when the error says it all.
  public var advice: String

  /// Makes an error.
  public init(operation: String, subject: String, errno: Errno, advice: String = "") {
    self.operation = operation
    self.subject = subject
    self.errno = errno
    self.advice = advice
  }

  /// From the result of a CGracefulSystem function, which is `-errno` when it failed.
  package init(_ operation: String, on subject: String, result: some BinaryInteger, advice: String = "") {
    self.init(
      operation: operation, subject: subject, errno: Errno(rawValue: -CInt(truncatingIfNeeded: result)), advice: advice)
  }

  /// One sentence.
  public var description: String {
    let reason = "\(operation) on \(subject) failed: \(errno)"
    return advice.isEmpty ? reason : "\(reason); \(advice)"
  }
}
