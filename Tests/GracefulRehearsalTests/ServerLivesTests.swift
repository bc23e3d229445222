import GracefulProcesses
import NIOCore
import Testing

@testable import GracefulRehearsal

@Suite("Processes with the same number")
struct ServerLivesTests {
  private let pid = ProcessID(rawValue: 4711)
  private var lives = ServerLives<String>()

  private func at(_ second: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(second) * 1_000_000_000) }

  @Test("each has its own end, also when it is asked for later")
  mutating func ends() {
    let first = lives.began(pid, at: at(1))
    lives.attach("first", to: pid, first)
    lives.ended(pid, first, .exited(3), at: at(2))
    let second = lives.began(pid, at: at(10))
    lives.attach("second", to: pid, second)
    #expect(lives[pid]?.endedAt == nil && lives[pid]?.handle == "second")
    #expect(lives.life(of: pid, at: at(1))?.endedAt == at(2))
    #expect(lives.life(of: pid, at: at(9))?.status == .exited(3))
    #expect(lives.handles == ["second"])
    lives.ended(pid, second, .signaled(9), at: at(11))
    #expect(lives.life(of: pid, at: at(1))?.endedAt == at(2) && lives.life(of: pid, at: at(10))?.endedAt == at(11))
    #expect(lives.life(of: pid, at: at(10))?.status == .signaled(9))
    #expect(lives.handles.isEmpty)
  }

  @Test("what is known of an end stays; how it was may come later")
  mutating func late() {
    let life = lives.began(pid, at: at(1))
    lives.ended(pid, life, nil, at: at(2))
    lives.ended(pid, life, .exited(0), at: at(3))
    lives.ended(pid, life, .exited(1), at: at(4))
    #expect(lives[pid]?.endedAt == at(2) && lives[pid]?.status == .exited(0))
  }

  @Test("one whose number is used again has ended, and how is known then at the latest; its own news comes too late")
  mutating func unnoticed() {
    let first = lives.began(pid, at: at(1))
    let second = lives.began(pid, at: at(5), before: .exited(2))
    let before = lives.life(of: pid, at: at(2))
    #expect(before?.endedAt == at(5) && before?.status == .exited(2))
    let isLast = lives.ended(pid, first, .exited(1), at: at(6))
    #expect(!isLast && lives[pid]?.endedAt == nil)
    let isLastNow = lives.ended(pid, second, .exited(1), at: at(7))
    #expect(isLastNow && lives[pid]?.endedAt == at(7))
  }

  @Test("a number that is not known has none")
  mutating func unknown() {
    lives.ended(pid, 0, .exited(0), at: at(1))
    lives.attach("nobody", to: pid, 0)
    #expect(lives[pid] == nil && lives.life(of: pid, at: at(9)) == nil)
    _ = lives.began(pid, at: at(2))
    #expect(lives.life(of: pid, at: at(1)) == nil)
  }
}
