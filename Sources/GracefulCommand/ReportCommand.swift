internal import ArgumentParser
internal import Foundation
internal import Graceful

/// `graceful report FILE`: what a program left behind, for people.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Shows a report of a stop, as text or as a picture.",
    discussion: """
      FILE is what a program wrote to where GRACEFUL_REPORT_FILE said, or the result of LifecycleReport.json(); - is \
      standard input. Exits 65 (EX_DATAERR) when it is no report, 66 (EX_NOINPUT) when it cannot be read, 73 \
      (EX_CANTCREAT) when the picture cannot be written.
      """)

  @Argument(help: "The report, in JSON.")
  var file: String

  @Flag(help: "As an SVG picture, for a browser; on standard output, unless --output says where.")
  var svg = false

  @Option(name: .shortAndLong, help: "Write to this file, which is replaced at once or not at all.")
  var output: String?

  func run() throws {
    let report = try read()
    do {
      try OutputFile(output ?? "-").write(svg ? report.svg() : report.text)
    } catch {
      StandardStreams.complain("graceful report: \(error)")
      throw ExitCode(73)
    }
  }

  private func read() throws -> LifecycleReport {
    let data: Data
    do {
      data =
        file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(fileURLWithPath: file))
    } catch {
      StandardStreams.complain("graceful report: \(file): \(error.localizedDescription)")
      throw ExitCode(66)
    }
    do {
      return try LifecycleReport(json: String(decoding: data, as: UTF8.self))
    } catch {
      StandardStreams.complain("graceful report: \(file) is no report: \(error)")
      throw ExitCode(65)
    }
  }
}
