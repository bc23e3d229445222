internal import GracefulShutdown
internal import Logging

extension Lifecycle {
  /// Says in the log that a call of `recordMetrics` or `recordSpans` came too late or a second time.
  func tell(_ admission: ObserverAdmission, of what: String, _ function: String) {
    let why: String
    switch admission {
    case .admitted: return
    case .taken: why = "was called before, and only the first call counts"
    case .late: why = "was called after run()"
    }
    logger.error("no \(what) are recorded by this call: \(function)() \(why)", metadata: ["lifecycle.name": "\(name)"])
  }
}
