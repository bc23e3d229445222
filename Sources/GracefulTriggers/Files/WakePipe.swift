internal import CGracefulSystem

/// Wakes a thread that waits in a ``DirectoryWatch``.
///
/// Both ends are closed when nobody holds it any more, so that no thread writes to a number that meanwhile belongs to
/// somebody else.
final class WakePipe: Sendable {
  let reader: Int32
  private let writer: Int32
  private let calls: StopFileCalls

  init(calls: StopFileCalls) throws(StopFileError) {
    var ends: [Int32] = [-1, -1]
    let result = calls.pipe(&ends)
    guard result >= 0 else { throw StopFileError("pipe2", "stop files", result: result) }
    (reader, writer) = (ends[0], ends[1])
    self.calls = calls
  }

  deinit {
    calls.close(reader)
    calls.close(writer)
  }

  /// Until the next word it sleeps.
  func quieten() { _ = calls.readEvents(reader) }

  /// A full pipe wakes just as well.
  func wake() {
    var byte: UInt8 = 0
    _ = cgs_write(writer, &byte, 1)
  }
}
