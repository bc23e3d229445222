internal import Foundation

/// What the kernel says about the signals of a process, or of a thread (proc(5), `/proc/pid/status`).
public struct SignalSets {
  private let fields: [String: String]

  /// - Returns: `nil` when there is none any more.
  public init?(_ path: String) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    self.fields = fields
  }

  /// At most 15 bytes of it.
  public var name: String { fields["Name"] ?? "" }

  /// - Parameter field: `SigCgt`, `SigBlk` or another one of the kernel's.
  public func has(_ signal: Int32, in field: String) -> Bool {
    guard let mask = UInt64(fields[field] ?? "", radix: 16) else { return false }
    return mask >> UInt64(signal - 1) & 1 == 1
  }
}
