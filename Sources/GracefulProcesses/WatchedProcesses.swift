internal import CGracefulSystem
internal import SystemPackage

/// Children whose exit status is not for other code to take.
package enum WatchedProcesses {
  /// Those that a pidfd of ours stands for (pidfd_open(2), proc_pid_fdinfo(5)).
  package static func watched() -> Set<ProcessID> {
    Set(numbers(cgs_descriptors).compactMap { process(in: read("/proc/self/fdinfo/\($0)")) })
  }

  /// Those that a thread of this process has started, other than its first one.
  ///
  /// The kernel keeps children by thread (proc_tid_children(5)). A process that loses its parent becomes a child of the first
  /// thread of process 1, and so does one whose thread has ended: of these nothing is known.
  package static func startedHere() -> Set<ProcessID> {
    var found: Set<ProcessID> = []
    for thread in numbers(cgs_threads) where thread != cgs_process_id() {
      for number in read("/proc/self/task/\(thread)/children").split(separator: " ").compactMap({ Int32($0) }) {
        found.insert(ProcessID(rawValue: number))
      }
    }
    return found
  }

  /// `Pid:` is there for a pidfd only; -1 once its process was reaped.
  static func process(in info: String) -> ProcessID? {
    for line in info.split(separator: "\n") where line.hasPrefix("Pid:") {
      guard let number = Int32(line.dropFirst(4).drop { $0 == "\t" || $0 == " " }), number > 0 else { return nil }
      return ProcessID(rawValue: number)
    }
    return nil
  }

  private static func numbers(_ list: (UnsafeMutablePointer<Int32>?, Int) -> Int32) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: 65_536) { buffer, count in
      count = Int(max(0, list(buffer.baseAddress, buffer.count)))
    }
  }

  /// Empty when there is nothing to read, or no more.
  private static func read(_ path: String) -> String {
    guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec) else { return "" }
    defer { try? file.close() }
    var text: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = (try? bytes.withUnsafeMutableBytes { try file.read(into: $0) }) ?? 0
      guard count > 0 else { return String(decoding: text, as: UTF8.self) }
      text += bytes[..<count]
    }
  }
}
