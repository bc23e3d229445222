internal import ArgumentParser

/// Why a command could not do what it was asked for, and its exit code (sysexits(3), timeout(1)).
struct CommandFailure: Error, Equatable {
  var code: Int32
  var message: String
  /// The connection ended after the request was sent and before its answer: who was there may have done as it was asked.
  var isLost = false

  /// EX_UNAVAILABLE.
  static func nobody(_ message: String) -> Self { Self(code: 69, message: message) }
  static func lost(_ message: String) -> Self { Self(code: 69, message: message, isLost: true) }
  /// EX_NOPERM.
  static func notAllowed(_ message: String) -> Self { Self(code: 77, message: message) }
  /// As timeout(1) has it.
  static func late(_ message: String) -> Self { Self(code: 124, message: message) }
  /// EX_USAGE.
  static func usage(_ message: String) -> Self { Self(code: 64, message: message) }
  static func failed(_ message: String) -> Self { Self(code: 1, message: message) }

  /// Says it on standard error, and ends the command with its code.
  func end(_ command: String) -> ExitCode {
    StandardStreams.complain("graceful \(command): \(message)")
    return ExitCode(code)
  }
}
