internal import SystemPackage

/// A line to whoever reads it, at once and whole.
///
/// That nobody reads any more is no error.
enum StandardStreams {
  static func say(_ line: String) { _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8) }
  static func complain(_ line: String) { _ = try? FileDescriptor.standardError.writeAll((line + "\n").utf8) }
}
