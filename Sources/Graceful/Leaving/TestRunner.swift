internal import CGracefulSystem
internal import GracefulShutdown
internal import GracefulSystem

/// A process that runs tests, which no lifecycle may end: its exit would end the tests, with a code of its own, and the rest
/// unrun.
enum TestRunner {
  /// The name of its executable.
  ///
  /// `nil` in a process that runs no tests; and in the child process of an exit test, which is there to be ended.
  static func name(of executable: String, environment: [UInt8]) -> String? {
    let name = executable.split(separator: "/").last.map(String.init) ?? executable
    let isRunner =
      name.hasSuffix(".xctest") || name.hasSuffix("-test-runner") || name == "xctest"
      || name == "swiftpm-testing-helper"
    let isExitTest = environment.split(separator: 0).contains { $0.starts(with: Self.exitTest) }
    return isRunner && !isExitTest ? name : nil
  }

  /// Swift Testing takes it out of the environment as the child begins; what the process began with still has it.
  private static let exitTest = Array("SWT_EXIT_TEST_ID=".utf8)

  /// - Returns: Nothing where a process may be ended; else it says why not, and ends as a program whose configuration is
  ///   wrong: so that the tests do not seem to have succeeded.
  static func refuse(_ lifecycle: Lifecycle) {
    let executable = CommandLine.arguments.first ?? ""
    guard name(of: executable, environment: []) != nil,
      let name = name(of: executable, environment: FileBeginning.read("/proc/self/environ", atMost: 1 << 20) ?? [])
    else { return }
    let line =
      "graceful: runAndExit() of \(lifecycle.name) would end this process, which runs tests (\(name)), and the rest of them "
      + "would not be run; call run(), which returns the report"
    ExitReportWriter.say(TerminalText.line(of: line, columns: 4000) + "\n", within: .milliseconds(400))
    // EX_CONFIG (sysexits(3)), as of every wrong configuration.
    cgs_exit(78)
  }
}
