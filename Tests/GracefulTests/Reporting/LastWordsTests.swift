import CGracefulSystem
import Synchronization
import SystemPackage
import Testing
import WholeMachine

@testable import Graceful

/// What holds up the last words.
@Suite("The last words", .wholeMachine, .serialized, .timeLimit(.minutes(1)))
struct LastWordsTests {
  private let report = ReportValues.report(phases: [ReportValues.phase("web", .abandoned)])

  @Test("A disk that does not answer holds up neither the text nor the exit beyond the limit, and a line says so")
  func hangingDisk() throws {
    let pipe = try FileDescriptor.pipe()
    let (gate, open) = try FileDescriptor.pipe()
    let begin = ContinuousClock.now
    LastWords.write(
      report, to: pipe.writeEnd.rawValue,
      file: { _ in
        // Until the test is over.
        var byte: UInt8 = 0
        _ = cgs_read(gate.rawValue, &byte, 1)
        return nil
      }, within: .milliseconds(200))
    let took = ContinuousClock.now - begin
    #expect(took >= .milliseconds(150))
    #expect(took < .seconds(10))
    try pipe.writeEnd.close()
    #expect(
      try everything(in: pipe.readEnd) == report.text
        + "graceful: GRACEFUL_REPORT_FILE: no report written: it takes too long\n")
    try open.close()
    try pipe.readEnd.close()
  }

  @Test("Standard error that nobody reads holds up neither the file nor the exit beyond the limit")
  func nobodyReads() throws {
    let full = try FullPipe()
    let kept = Mutex<LifecycleReport?>(nil)
    LastWords.write(
      report, to: full.writeEnd,
      file: { report in
        kept.withLock { $0 = report }
        return "no space"
      }, within: .milliseconds(100))
    #expect(kept.withLock { $0 } == report)
  }

  @Test("When both are done it waits no longer")
  func quick() throws {
    let pipe = try FileDescriptor.pipe()
    let begin = ContinuousClock.now
    LastWords.write(report, to: pipe.writeEnd.rawValue, file: { _ in nil }, within: .seconds(300))
    #expect(ContinuousClock.now - begin < .seconds(60))
    try pipe.writeEnd.close()
    #expect(try everything(in: pipe.readEnd) == report.text)
    try pipe.readEnd.close()
  }

  private func everything(in descriptor: FileDescriptor) throws -> String {
    var text = ""
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = try bytes.withUnsafeMutableBytes { try descriptor.read(into: $0) }
      if count == 0 { return text }
      text += String(decoding: bytes[..<count], as: UTF8.self)
    }
  }
}
