public import GracefulShutdown

/// A lifecycle that ran as a service of a `ServiceGroup` did not end clean; the report says how.
public struct LifecycleFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What happened to every phase.
  public let report: LifecycleReport

  init(_ report: LifecycleReport) { self.report = report }

  /// The code that a program should exit with; never 0.
  public var exitCode: Int32 { report.exitCode }

  /// The report on one line.
  public var description: String { report.summary }
}
