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
      }, within: .seconds(1))
    let took = ContinuousClock.now - begin
    #expect(took >= .milliseconds(750))
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

  @Test("The answer that comes last is waited for while the grace is not over, and not for ever")
  func lastOfAll() throws {
    let pipe = try FileDescriptor.pipe()
    var inTime = report
    (inTime.grace, inTime.took) = (.seconds(300), .seconds(1))
    let isSaid = Atomic(false)
    let slow = Farewell(.last, "the slow one") { _ in
      // Longer than the fifth of the limit, as on a machine that is busy.
      _ = cgs_poll(nil, 0, 200)
      isSaid.store(true, ordering: .releasing)
    }
    LastWords.write(inTime, to: pipe.writeEnd.rawValue, farewells: [slow], within: .milliseconds(400))
    let wasSaid = isSaid.load(ordering: .acquiring)
    #expect(wasSaid)

    let (gate, open) = try FileDescriptor.pipe()
    let hangs = Farewell(.last, "the answer /tmp/process.stopped") { _ in
      var byte: UInt8 = 0
      _ = cgs_read(gate.rawValue, &byte, 1)
    }
    for took in [Duration.seconds(1), .seconds(300), .seconds(400)] {
      inTime.took = took
      let begin = ContinuousClock.now
      LastWords.write(inTime, to: pipe.writeEnd.rawValue, farewells: [hangs], within: .milliseconds(400))
      #expect(ContinuousClock.now - begin < .seconds(30))
    }
    try open.close()
    try pipe.writeEnd.close()
    let lines = try everything(in: pipe.readEnd).split(separator: "\n").filter { $0.hasPrefix("graceful:") }
    #expect(
      lines
        == ["1.0", "0.08", "0.08"].map {
          "graceful: the exit waits no longer for the answer /tmp/process.stopped, which was not done within \($0) s"
        })
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
