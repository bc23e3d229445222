internal import CGracefulSystem
internal import GracefulDescriptors
public import GracefulShutdown
internal import SystemPackage

extension Lifecycle {
  /// What it will do, before it does it: the order, the limits, and how long a stop may take.
  ///
  /// Nothing is started, bound or asked for. It counts what was declared so far; after `run()`, what runs. The environment
  /// counts, too: `GRACEFUL_GRACE_SECONDS`, and the platform.
  ///
  /// From outside, without a line of code: `GRACEFUL_PLAN=text PROGRAM`, `GRACEFUL_PLAN=json PROGRAM` or
  /// `GRACEFUL_PLAN=svg PROGRAM`; see
  /// ``runAndExit(on:)``.
  public func plan() -> StopPlan { plan(with: .live) }
}

/// Whether the program is to print its plan instead of running: `GRACEFUL_PLAN`.
enum PlanMode: Hashable, Sendable {
  /// Not set, or empty.
  case run
  case text
  case json
  case svg
  /// It is set to something else.
  case unknown(String)

  static let variable = "GRACEFUL_PLAN"
  /// As it was when it was first asked for.
  static let live = PlanMode(ProcessSurroundings.live.variable(variable))

  init(_ value: String?) {
    self =
      switch value {
      case nil, "": .run
      case "text": .text
      case "json": .json
      case "svg": .svg
      case let other?: .unknown(other)
      }
  }

  /// What is to be printed: `nil` when the program is to run.
  func print(_ plan: StopPlan) -> String? {
    switch self {
    case .text: plan.text
    case .json: plan.json()
    case .svg: plan.svg()
    case .run, .unknown: nil
    }
  }

  /// What is wrong with the variable itself.
  var mistake: ConfigurationMistake? {
    guard case .unknown(let value) = self else { return nil }
    let reason = "it must be text, json or svg, and then the program prints its plan instead of running"
    return ConfigurationMistake(kind: .environment(variable: Self.variable, value: value, reason: reason))
  }
}

extension PlanMode {
  /// EX_USAGE and EX_IOERR of sysexits(3).
  private static let (usage, inputOutput): (Int32, Int32) = (64, 74)

  /// Prints the plan and ends the process, if that is what was asked for; otherwise returns.
  static func printAndExit(_ lifecycle: Lifecycle) {
    if let mistake = live.mistake {
      complain("\(mistake)")
      cgs_exit(usage)
    }
    let plan = lifecycle.plan()
    guard let text = live.print(plan) else { return }
    if let problem = write(text, to: .standardOutput) {
      complain("\(variable): no plan written: \(problem)")
      cgs_exit(inputOutput)
    }
    // Where a program reads the plan, a person still sees here what is wrong.
    if live != .text { for mistake in plan.mistakes { complain("\(mistake)") } }
    cgs_exit(plan.exitCode)
  }

  private static func complain(_ line: String) {
    _ = write(TerminalText.line(of: "graceful: \(line)", columns: 4000) + "\n", to: .standardError)
  }

  /// - Returns: What went wrong.
  static func write(_ text: String, to descriptor: FileDescriptor) -> String? {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let result = rest.withUnsafeBytes { cgs_write(descriptor.rawValue, $0.baseAddress, $0.count) }
      if result > 0 {
        rest = rest.dropFirst(Int(result))
        continue
      }
      let errno = Errno(rawValue: Int32(clamping: -Int(result)))
      if errno == .interrupted { continue }
      guard errno == .wouldBlock || errno == .resourceTemporarilyUnavailable else {
        return SystemError(operation: "write", subject: "standard output", errno: errno).description
      }
      // The parent made it non-blocking. There is no hurry: nothing runs.
      var poll = cgs_poll(fd: descriptor.rawValue, wanted: Int16(CGS_POLL_OUT), happened: 0)
      _ = cgs_poll(&poll, 1, 1000)
    }
    return nil
  }
}
