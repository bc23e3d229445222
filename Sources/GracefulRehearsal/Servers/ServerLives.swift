package import GracefulProcesses
package import NIOCore

/// Which process a number meant, and when it ended: a long rehearsal sees numbers that are used again.
///
/// Each life has what stands for its process, and when and how it ended.
package struct ServerLives<Handle> {
  /// One process.
  package struct Life {
    package fileprivate(set) var handle: Handle?
    package let beganAt: NIODeadline
    package fileprivate(set) var endedAt: NIODeadline?
    package fileprivate(set) var status: ExitStatus?
  }

  private var lives: [ProcessID: [Life]] = [:]

  package init() {}

  /// The last process that this number meant.
  package subscript(_ pid: ProcessID) -> Life? { lives[pid]?.last }

  /// The process that this number meant at that time; `nil` also when it was not known yet.
  package func life(of pid: ProcessID, at instant: NIODeadline) -> Life? {
    lives[pid]?.last { $0.beganAt <= instant }
  }

  /// What stands for those that have not ended.
  package var handles: [Handle] { lives.values.compactMap { $0.last?.endedAt == nil ? $0.last?.handle : nil } }

  /// Notes that from now on this number means another process than before, whose end is known now at the latest.
  /// - Parameter before: How the one before it ended.
  /// - Returns: What tells it from others with its number.
  package mutating func began(_ pid: ProcessID, at now: NIODeadline, before: ExitStatus? = nil) -> Int {
    let count = lives[pid]?.count ?? 0
    if count > 0 { ended(pid, count - 1, before, at: now) }
    lives[pid, default: []].append(Life(beganAt: now))
    return count
  }

  /// Notes what stands for it.
  package mutating func attach(_ handle: Handle, to pid: ProcessID, _ life: Int) { lives[pid]?[life].handle = handle }

  /// Notes its end; what is known already stays.
  /// - Parameter status: `nil` when only that it ended is known.
  /// - Returns: Whether no other process has its number since.
  @discardableResult
  package mutating func ended(_ pid: ProcessID, _ life: Int, _ status: ExitStatus?, at now: NIODeadline) -> Bool {
    guard var ended = lives[pid]?[life] else { return false }
    ended.endedAt = ended.endedAt ?? now
    ended.status = ended.status ?? status
    lives[pid]?[life] = ended
    return life + 1 == lives[pid]?.count
  }
}
