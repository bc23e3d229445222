/// What /proc/PID/stat says of a process (proc_pid_stat(5)).
package struct ProcessStatus: Hashable, Sendable {
  package let id: Int32
  /// The process that started or adopted it.
  package let parent: Int32
  /// The program's name, at most 15 bytes.
  package let name: String
  /// The letter of its state: running R, sleeping S or D, stopped T, zombie Z.
  package let state: Character
  /// When it started, in clock ticks since the machine did: with the number it names a process for ever.
  package let started: UInt64

  /// Reads the line; `nil` when it is none.
  ///
  /// The name may contain spaces and parentheses: it ends at the last one.
  package init?(_ line: some Sequence<UInt8>) {
    let line = String(decoding: Array(line), as: UTF8.self)
    guard let open = line.firstIndex(of: "("), let close = line.lastIndex(of: ")"), open < close else { return nil }
    let fields = line[line.index(after: close)...].split(whereSeparator: \.isWhitespace)
    guard
      let id = Int32(line[..<open].drop { $0 == " " }.prefix { $0 != " " }), fields.count >= 20,
      let state = fields[0].first, let parent = Int32(fields[1]), let started = UInt64(fields[19])
    else { return nil }
    self.id = id
    self.parent = parent
    self.name = String(line[line.index(after: open)..<close])
    self.state = state
    self.started = started
  }

  package static func path(of process: Int32) -> String { "/proc/\(process)/stat" }

  /// `nil` when there is no such process, or no /proc.
  package static func read(_ process: Int32) -> ProcessStatus? {
    FileBeginning.read(path(of: process)).flatMap { ProcessStatus($0) }
  }
}
