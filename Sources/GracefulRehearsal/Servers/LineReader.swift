package import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// Cuts bytes into lines; a line that does not end is cut at a bound.
struct LineSplitter: Equatable, Sendable {
  private var rest: [UInt8] = []
  private let bound: Int

  init(bound: Int = 4096) {
    self.bound = bound
  }

  mutating func lines(after bytes: some Sequence<UInt8>) -> [String] {
    var found: [String] = []
    for byte in bytes {
      if byte == 10 {
        found.append(String(decoding: rest, as: UTF8.self))
        rest.removeAll(keepingCapacity: true)
      } else if rest.count < bound {
        rest.append(byte)
      }
    }
    return found
  }
}

/// A pipe that several processes write to, always drained, so that no server ever waits for us.
package final class LineReader: Sendable {
  private struct State: ~Copyable {
    var reader: OwnedDescriptor?
    var writer: OwnedDescriptor?
    var splitter = LineSplitter()
    var watch: PollLoop.WatchID?
  }

  private let loop: PollLoop
  private let state: Mutex<State>
  private let line: @Sendable (String) -> Void
  /// What children get as their standard output; ours stays open, since successors are started from here too.
  package let writer: CInt

  /// - Parameter line: Called on the loop's thread.
  package init(on loop: PollLoop, line: @escaping @Sendable (String) -> Void) throws(SystemError) {
    let ends: (readEnd: FileDescriptor, writeEnd: FileDescriptor)
    do throws(Errno) {
      // Blocking for the writers: a server's own output must not fail because we are slow.
      ends = try FileDescriptor.pipe(options: .closeOnExec)
    } catch {
      throw SystemError(operation: "pipe2", subject: "the server's output", errno: error)
    }
    self.loop = loop
    self.line = line
    writer = ends.writeEnd.rawValue
    state = Mutex(
      State(reader: OwnedDescriptor(adopting: ends.readEnd), writer: OwnedDescriptor(adopting: ends.writeEnd)))
    let reader = ends.readEnd
    let watch = loop.watch(reader.rawValue, .readable) { [weak self] _ in self?.read(reader) }
    state.withLock { $0.watch = watch }
  }

  private func read(_ reader: FileDescriptor) {
    // One read after one report of readiness does not block: nothing else reads here.
    let bytes = [UInt8](unsafeUninitializedCapacity: 65536) { buffer, count in
      count = (try? reader.read(into: UnsafeMutableRawBufferPointer(buffer), retryOnInterrupt: true)) ?? 0
    }
    let lines = state.withLock { $0.splitter.lines(after: bytes) }
    lines.forEach(line)
  }

  /// Closes both ends, on the loop's thread, after the watch is taken back.
  package func close() {
    loop.execute {
      let watch = self.state.withLock { $0.watch }
      if let watch { self.loop.unwatch(watch) }
      self.state.withLock { state in
        state.reader = nil
        state.writer = nil
      }
    }
  }
}
