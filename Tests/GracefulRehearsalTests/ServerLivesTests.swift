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
    lives.began(pid, at: at(1))
    lives.attach("first", to: pid)
    lives.ended(pid, .exited(3), at: at(2))
    lives.began(pid, at: at(10))
    lives.attach("second", to: pid)
    #expect(lives[pid]?.endedAt == nil && lives[pid]?.handle == "second")
    #expect(lives.life(of: pid, at: at(1))?.endedAt == at(2))
    #expect(lives.life(of: pid, at: at(9))?.status == .exited(3))
    #expect(lives.handles == ["second"])
    lives.ended(pid, .signaled(9), at: at(11))
    #expect(lives.life(of: pid, at: at(1))?.endedAt == at(2) && lives.life(of: pid, at: at(10))?.endedAt == at(11))
    #expect(lives.life(of: pid, at: at(10))?.status == .signaled(9))
    #expect(lives.handles.isEmpty)
  }

  @Test("what is known of an end stays; how it was may come later")
  mutating func late() {
    lives.began(pid, at: at(1))
    lives.ended(pid, nil, at: at(2))
    lives.ended(pid, .exited(0), at: at(3))
    lives.ended(pid, .exited(1), at: at(4))
    #expect(lives[pid]?.endedAt == at(2) && lives[pid]?.status == .exited(0))
  }

  @Test("one whose number is used again has ended, and how is known then at the latest")
  mutating func unnoticed() {
    lives.began(pid, at: at(1))
    lives.began(pid, at: at(5), before: .exited(2))
    #expect(lives.life(of: pid, at: at(2))?.endedAt == at(5) && lives.life(of: pid, at: at(2))?.status == .exited(2))
    #expect(lives[pid]?.endedAt == nil)
  }

  @Test("a number that is not known has none")
  mutating func unknown() {
    lives.ended(pid, .exited(0), at: at(1))
    lives.attach("nobody", to: pid)
    #expect(lives[pid] == nil && lives.life(of: pid, at: at(9)) == nil)
    lives.began(pid, at: at(2))
    #expect(lives.life(of: pid, at: at(1)) == nil)
  }
}
