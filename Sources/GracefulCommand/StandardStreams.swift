internal import SystemPackage

/// A line to the reader of the stream, at once and whole.
///
/// A reader that has gone is no error.
enum StandardStreams {
  static func say(_ line: String) { _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8) }
  static func complain(_ line: String) { _ = try? FileDescriptor.standardError.writeAll((line + "\n").utf8) }
}
