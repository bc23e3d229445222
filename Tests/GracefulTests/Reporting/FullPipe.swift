import CGracefulSystem
import SystemPackage

/// A pipe that takes nothing more.
final class FullPipe: Sendable {
  private let ends: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
  var writeEnd: Int32 { ends.writeEnd.rawValue }

  init() throws {
    ends = try FileDescriptor.pipe()
    var poll = cgs_poll(fd: ends.writeEnd.rawValue, wanted: Int16(CGS_POLL_OUT), happened: 0)
    let bytes = [UInt8](repeating: 0x20, count: 4096)
    while cgs_poll(&poll, 1, 0) > 0 { _ = cgs_write(ends.writeEnd.rawValue, bytes, bytes.count) }
  }

  // A thread that is still writing is told that the reader has gone (EPIPE). What it writes to stays open: its number must not
  // be that of another test's file in the same moment.
  deinit { try? ends.readEnd.close() }
}
