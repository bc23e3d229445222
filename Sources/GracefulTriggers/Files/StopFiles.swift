internal import GracefulSystem

/// The two files by which a program is asked to stop, and says that it has.
///
/// A client that wants the program to stop makes the first one; the program takes it away, stops, and makes the second one as
/// its last act. It is the protocol of `noamt/stop` (Go), whose programs and command can be at either side.
///
/// ```swift
/// await shop.runAndExit(on: .signals, .files())                      // the program
/// try StopFiles().requestStopAndWait(timeout: .seconds(30))          // its client; or the command `stop`
/// ```
///
/// Give each program a directory of its own: of two of one user that share one, the first to begin takes the requests. In a directory
/// to which every user can write (`/tmp`), only the program's user and root are heard, but every user can be in the way.
public struct StopFiles: Sendable {
  /// Where both files are.
  ///
  /// For the program it must be its user's own or root's, and closed to the writing of others unless it is sticky, as
  /// `/tmp` is. A directory that is not there is waited for.
  public var directory: String
  /// The name of the file that asks for a stop.
  public var request: String
  /// The name of the file that says that the program has stopped.
  public var answer: String
  /// Told of what is not taken for a request, and why, once a file.
  ///
  /// On a thread of its own, one at a time; while it is busy, at most 64 wait, and what comes then is left out.
  public var onRefusal: (@Sendable (StopFileRefusal) -> Void)?

  /// For tests: the system.
  package var calls = StopFileCalls.live

  /// Names the files.
  /// - Parameters:
  ///   - directory: Where both are; `$TMPDIR` unless given, or `/tmp` where that is not set or empty.
  ///   - request: `process.stop` unless given.
  ///   - answer: `process.stopped` unless given.
  ///   - onRefusal: Told of what is not taken for a request. None unless given; ``Trigger/files(_:)`` writes it into
  ///     the log of the lifecycle all the same.
  public init(
    directory: String = StopFiles.temporaryDirectory, request: String = "process.stop",
    answer: String = "process.stopped", onRefusal: (@Sendable (StopFileRefusal) -> Void)? = nil
  ) {
    self.directory = directory
    self.request = request
    self.answer = answer
    self.onRefusal = onRefusal
  }

  /// `$TMPDIR`, or `/tmp` where that is not set or empty.
  ///
  /// A path that is not UTF-8 cannot be a `String`; to use what this returns then is a bad name.
  public static var temporaryDirectory: String { temporary.path }

  /// `isExact`: whether that is what the environment says, or what was made of it.
  private static var temporary: (path: String, isExact: Bool) {
    if let bytes = EnvironmentVariables.bytes(of: "TMPDIR"), !bytes.isEmpty {
      return (String(decoding: bytes, as: UTF8.self), String(validating: bytes, as: UTF8.self) != nil)
    }
    return ("/tmp", true)
  }

  var requestPath: String { path(of: request) }
  var answerPath: String { path(of: answer) }

  func path(of name: String) -> String { directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)" }

  /// What cannot be: a name that is none.
  func checkNames() throws(StopFileError) {
    let isPath = directory.isEmpty || directory.utf8.contains(0)
    if isPath {
      throw StopFileError(.badName, path: directory, "the directory's name is empty, or has a zero byte in it")
    }
    // Somewhere else no client would be heard, and none answered.
    let temporary = Self.temporary
    if !temporary.isExact, directory == temporary.path {
      throw StopFileError(
        .badName, path: directory, "TMPDIR is not UTF-8, so it cannot be used; set another one, or name a directory")
    }
    for name in [request, answer] {
      let isBad =
        name.isEmpty || name == "." || name == ".." || name.utf8.contains { $0 == 0 || $0 == UInt8(ascii: "/") }
      if isBad { throw StopFileError(.badName, path: name, "it must be the name of a file in \(directory), no path") }
    }
    if request == answer { throw StopFileError(.badName, path: request, "the two files must have different names") }
  }
}
