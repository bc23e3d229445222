import CGracefulSystem
import Synchronization
import SystemPackage
import TestHost
import Testing

@testable import Graceful

/// What holds up the last words.
@Suite("The last words", .serialized, .timeLimit(.minutes(1)))
struct ExitReportWriterTests {
  private let report = ReportValues.report(phases: [ReportValues.phase("web", .abandoned)])

  @Test("A disk that does not answer holds up neither the text nor the exit beyond the limit, and a line says so")
  func hangingDisk() throws {
    let pipe = try FileDescriptor.pipe()
    let (gate, open) = try FileDescriptor.pipe()
    let begin = ContinuousClock.now
    ExitReportWriter.write(
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
    let line = "graceful: GRACEFUL_REPORT_FILE: no report written: it takes too long\n"
    let said = try text(in: pipe.readEnd, with: [report.text, line])
    try pipe.writeEnd.close()
    let all = try said + everything(in: pipe.readEnd)
    // Two threads write them, and on a machine that is busy the first may be the later one.
    #expect(all == report.text + line || all == line + report.text)
    try open.close()
    try pipe.readEnd.close()
  }

  @Test("Standard error that nobody reads holds up neither the file nor the exit beyond the limit")
  func nobodyReads() async throws {
    let full = try FullPipe()
    let kept = Mutex<LifecycleReport?>(nil)
    ExitReportWriter.write(
      report, to: full.writeEnd,
      file: { report in
        kept.withLock { $0 = report }
        return "no space"
      }, within: .milliseconds(100))
    // Its thread may be late; it would never come if the file waited for the text.
    #expect(await eventually { kept.withLock { $0 } == report })
    withExtendedLifetime(full) {}
  }

  @Test("A file is waited for longer than the text, as far as the grace has it")
  func limits() {
    var late = report
    late.grace = .seconds(20)
    for (took, limit) in [(1.0, 800), (19, 800), (19.5, 500), (19.9, 400), (21, 400)] {
      late.took = .seconds(took)
      #expect(ExitReportWriter.limit(for: late, withFile: true) == .milliseconds(limit))
      #expect(ExitReportWriter.limit(for: late, withFile: false) == .milliseconds(400))
    }
    late.took = .seconds(1)
    late.endedBySignal = 15
    #expect(ExitReportWriter.limit(for: late, withFile: true) == .milliseconds(400))
  }

  @Test("Nothing holds them up beyond the deadline: not the text, nor the file, nor the answer that comes last")
  func deadline() throws {
    let full = try FullPipe()
    let (gate, open) = try FileDescriptor.pipe()
    let hangs = ExitHook(.last, "the answer") { _ in
      var byte: UInt8 = 0
      _ = cgs_read(gate.rawValue, &byte, 1)
    }
    let begin = ContinuousClock.now
    // Without the deadline it would be a minute.
    ExitReportWriter.write(
      report, to: full.writeEnd, file: { _ in nil }, exitHooks: [hangs], within: .seconds(60),
      by: begin + .milliseconds(300))
    #expect(ContinuousClock.now - begin < .seconds(30))
    try open.close()
    withExtendedLifetime(full) {}
  }

  @Test("When both are done it waits no longer")
  func quick() throws {
    let pipe = try FileDescriptor.pipe()
    let begin = ContinuousClock.now
    ExitReportWriter.write(report, to: pipe.writeEnd.rawValue, file: { _ in nil }, within: .seconds(300))
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
    let slow = ExitHook(.last, "the slow one") { _ in
      // Longer than the fifth of the limit, as on a machine that is busy.
      _ = cgs_poll(nil, 0, 200)
      isSaid.store(true, ordering: .releasing)
    }
    let begin = ContinuousClock.now
    ExitReportWriter.write(inTime, to: pipe.writeEnd.rawValue, exitHooks: [slow], within: .milliseconds(400))
    // A machine may be so busy that it has not done with its second.
    let hadASecond = ContinuousClock.now - begin >= .seconds(1)
    let wasSaid = isSaid.load(ordering: .acquiring)
    #expect(wasSaid || hadASecond)
    var said = try text(in: pipe.readEnd, with: [inTime.text])

    let (gate, open) = try FileDescriptor.pipe()
    let hangs = ExitHook(.last, "the answer /tmp/process.stopped") { _ in
      var byte: UInt8 = 0
      _ = cgs_read(gate.rawValue, &byte, 1)
    }
    let lines = ["1.0", "0.08", "0.08"].map {
      "graceful: the exit waits no longer for the answer /tmp/process.stopped, which was not done within \($0) s"
    }
    for (took, line) in zip([Duration.seconds(1), .seconds(300), .seconds(400)], lines) {
      inTime.took = took
      let begin = ContinuousClock.now
      ExitReportWriter.write(inTime, to: pipe.writeEnd.rawValue, exitHooks: [hangs], within: .milliseconds(400))
      #expect(ContinuousClock.now - begin < .seconds(30))
      // What is late is still being written.
      said += try text(in: pipe.readEnd, with: [inTime.text, line + "\n"])
    }
    try open.close()
    try pipe.writeEnd.close()
    said += try everything(in: pipe.readEnd)
    let found = said.split(separator: "\n").filter { $0.hasPrefix("graceful:") }.map(String.init)
    #expect(found.filter { !hadASecond || !$0.contains("the slow one") } == lines)
    try pipe.readEnd.close()
  }

  /// Reads until all of it has come, at most for a time.
  private func text(in descriptor: FileDescriptor, with parts: [String]) throws -> String {
    let until = ContinuousClock.now + .seconds(20)
    var text = ""
    var bytes = [UInt8](repeating: 0, count: 4096)
    while !parts.allSatisfy({ text.contains($0) }), .now < until {
      var poll = cgs_poll(fd: descriptor.rawValue, wanted: Int16(CGS_POLL_IN), happened: 0)
      guard cgs_poll(&poll, 1, 100) > 0 else { continue }
      let count = try bytes.withUnsafeMutableBytes { try descriptor.read(into: $0) }
      text += String(decoding: bytes[..<count], as: UTF8.self)
    }
    return text
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
