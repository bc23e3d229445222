internal import GracefulShutdown

/// One restart of a phase, in JSON.
struct RestartDocument: Codable {
  var after: JSONElapsed
  var reason: String
  var delay: JSONNullable<JSONElapsed>

  init(_ restart: RestartReport) {
    after = JSONElapsed(restart.after)
    reason = restart.reason
    delay = JSONNullable(restart.delay.map(JSONElapsed.init))
  }

  var value: RestartReport {
    RestartReport(after: after.duration, reason: reason, delay: delay.value?.duration)
  }
}
