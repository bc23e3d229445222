internal import CGracefulSystem

/// The first bytes of a file: all of a short file.
package enum FileBeginning {
  /// Follows no link, and does not wait for the writer of a pipe (open(2), `O_NOFOLLOW` and `O_NONBLOCK`).
  /// - Returns: `nil` when it cannot be read.
  package static func read(_ path: String, atMost most: Int = 1024) -> [UInt8]? {
    let descriptor = repeatingInterrupted { cgs_open_to_read(path) }
    guard descriptor >= 0 else { return nil }
    defer { _ = cgs_close(descriptor) }
    return read(descriptor, atMost: most)
  }

  /// What one read(2) brings.
  package static func read(_ descriptor: Int32, atMost most: Int) -> [UInt8]? {
    var count = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: most) { buffer, initialized in
      count = repeatingInterrupted { cgs_read(descriptor, buffer.baseAddress, most) }
      initialized = max(0, count)
    }
    return count < 0 ? nil : bytes
  }
}
