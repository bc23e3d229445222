import Foundation
import GracefulTriggers
import TestHost

/// What the kernel says about the signals of this process, and of its threads.
struct Disposition {
  private let sets: SignalSets

  static func isCaught(_ signal: Signal) -> Bool {
    SignalSets("/proc/self/status")?.has(signal.rawValue, in: "SigCgt") ?? false
  }

  static func threads(named name: String) -> [Disposition] {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
    return threads.compactMap { SignalSets("/proc/self/task/\($0)/status") }.filter { $0.name == name }.map(Self.init)
  }

  func blocks(_ signal: Signal) -> Bool { sets.has(signal.rawValue, in: "SigBlk") }
}
