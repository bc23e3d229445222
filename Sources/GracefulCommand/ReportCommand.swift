internal import ArgumentParser
internal import Foundation
internal import Graceful

/// `graceful report FILE`: what a program left behind, for people.
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Shows the report of a stop, or a plan, as text or as a picture.",
    discussion: """
      FILE is what a program wrote to where GRACEFUL_REPORT_FILE said, or what it printed with GRACEFUL_PLAN=json; - is \
      standard input. Exits 65 (EX_DATAERR) when it is neither, 66 (EX_NOINPUT) when it cannot be read, 73 \
      (EX_CANTCREAT) when the picture cannot be written.
      """)

  @Argument(help: "The report or the plan, in JSON.")
  var file: String

  @Flag(help: "As an SVG picture, for a browser; on standard output, unless --output says where.")
  var svg = false

  @Option(name: .shortAndLong, help: "Write to this file, which is replaced at once or not at all.")
  var output: String?

  func run() throws {
    let text = try shown(read())
    do {
      try OutputFile(output ?? "-").write(text)
    } catch {
      StandardStreams.complain("graceful report: \(error)")
      throw ExitCode(73)
    }
  }

  private func read() throws -> String {
    do {
      let data =
        file == "-" ? FileHandle.standardInput.readDataToEndOfFile() : try Data(contentsOf: URL(fileURLWithPath: file))
      return String(decoding: data, as: UTF8.self)
    } catch {
      StandardStreams.complain("graceful report: \(file): \(error.localizedDescription)")
      throw ExitCode(66)
    }
  }

  private func shown(_ json: String) throws -> String {
    do {
      if StopPlan.isMeant(by: json) {
        let plan = try StopPlan(json: json)
        return svg ? plan.svg() : plan.text
      }
      let report = try LifecycleReport(json: json)
      return svg ? report.svg() : report.text
    } catch {
      StandardStreams.complain("graceful report: \(file) is neither a report nor a plan: \(error)")
      throw ExitCode(65)
    }
  }
}
