import Logging

extension Logger {
  /// For thousands of phases, whose progress nobody wants to read.
  static var silent: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}
