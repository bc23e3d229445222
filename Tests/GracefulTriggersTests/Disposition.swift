import Foundation
import GracefulTriggers

/// What the kernel says about the signals of this process (proc(5), `/proc/pid/status`).
struct Disposition {
  private let fields: [String: String]

  private init?(path: String) {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    var fields: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2 { fields[String(parts[0])] = parts[1].trimmingCharacters(in: .whitespaces) }
    }
    self.fields = fields
  }

  static func isCaught(_ signal: Signal) -> Bool {
    Disposition(path: "/proc/self/status")?.has(signal, in: "SigCgt") ?? false
  }

  static func threads(named name: String) -> [Disposition] {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.compactMap { Disposition(path: "/proc/self/task/\($0)/status") }.filter { $0.fields["Name"] == name }
  }

  func blocks(_ signal: Signal) -> Bool { has(signal, in: "SigBlk") }

  private func has(_ signal: Signal, in field: String) -> Bool {
    guard let mask = UInt64(fields[field] ?? "", radix: 16) else { return false }
    return mask >> UInt64(signal.rawValue - 1) & 1 == 1
  }
}
