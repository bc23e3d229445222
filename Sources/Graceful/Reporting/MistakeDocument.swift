internal import GracefulShutdown

/// A mistake in the configuration, in JSON: which keys it has beside `kind` and `text`, depends on the kind.
struct MistakeDocument: Codable {
  var kind: Kind
  /// For people; not read back.
  var text: String?
  var phase: String?
  var requires: String?
  var path: [String]?
  var limit: JSONSeconds?
  var trigger: String?
  var reason: String?
  var variable: String?
  var lifecycle: String?
  var value: String?

  enum Kind: String, Codable {
    case duplicateName, unknownRequirement, cycle, graceNotPositive, limitNotPositive, startLimitNotPositive
    case emptyName, runInside, triggerCannotListen, environment, lifecycleTaken
  }

  init(_ mistake: ConfigurationMistake) {
    text = mistake.description
    switch mistake.kind {
    case .duplicateName(let name): (kind, phase) = (.duplicateName, name)
    case .unknownRequirement(let name, let other): (kind, phase, requires) = (.unknownRequirement, name, other)
    case .cycle(let names): (kind, path) = (.cycle, names)
    case .graceNotPositive(let grace): (kind, limit) = (.graceNotPositive, JSONSeconds(grace))
    case .limitNotPositive(let name, let limit):
      (kind, phase, self.limit) = (.limitNotPositive, name, JSONSeconds(limit))
    case .startLimitNotPositive(let name, let limit):
      (kind, phase, self.limit) = (.startLimitNotPositive, name, JSONSeconds(limit))
    case .emptyName: kind = .emptyName
    case .runInside(let name): (kind, phase) = (.runInside, name)
    case .triggerCannotListen(let name, let why): (kind, trigger, reason) = (.triggerCannotListen, name, why)
    case .lifecycleTaken(let name, let other): (kind, phase, lifecycle) = (.lifecycleTaken, name, other)
    case .environment(let name, let value, let why):
      (kind, variable, self.value, reason) = (.environment, name, value, why)
    }
  }

  func value(at place: String) throws(ReportFormatError) -> ConfigurationMistake {
    ConfigurationMistake(kind: try kindOfMistake(at: place))
  }

  private func kindOfMistake(at place: String) throws(ReportFormatError) -> ConfigurationMistake.Kind {
    switch kind {
    case .duplicateName: .duplicateName(try there(phase, "\(place).phase"))
    case .unknownRequirement:
      .unknownRequirement(
        phase: try there(phase, "\(place).phase"), requires: try there(requires, "\(place).requires"))
    case .cycle: .cycle(try there(path, "\(place).path"))
    case .graceNotPositive: .graceNotPositive(try there(limit, "\(place).limit").duration)
    case .limitNotPositive:
      .limitNotPositive(phase: try there(phase, "\(place).phase"), try there(limit, "\(place).limit").duration)
    case .startLimitNotPositive:
      .startLimitNotPositive(phase: try there(phase, "\(place).phase"), try there(limit, "\(place).limit").duration)
    case .emptyName: .emptyName
    case .runInside: .runInside(phase: try there(phase, "\(place).phase"))
    case .triggerCannotListen:
      .triggerCannotListen(
        trigger: try there(trigger, "\(place).trigger"), reason: try there(reason, "\(place).reason"))
    case .lifecycleTaken:
      .lifecycleTaken(
        phase: try there(phase, "\(place).phase"), lifecycle: try there(lifecycle, "\(place).lifecycle"))
    case .environment:
      .environment(
        variable: try there(variable, "\(place).variable"), value: try there(value, "\(place).value"),
        reason: try there(reason, "\(place).reason"))
    }
  }
}
