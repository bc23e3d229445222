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

  deinit {
    try? ends.readEnd.close()
    try? ends.writeEnd.close()
  }
}
