internal import GracefulJSON

/// Which keys there are beside `kind` and `text`, depends on the kind.
extension ConfigurationMistake: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind, text, phase, requires, path, limit, trigger, reason, variable, lifecycle, value
  }

  private enum Word: String, Codable {
    case duplicateName, unknownRequirement, cycle, graceNotPositive, limitNotPositive, startLimitNotPositive
    case emptyName, runInside, triggerCannotListen, environment, lifecycleTaken
  }

  private var word: Word {
    switch kind {
    case .duplicateName: .duplicateName
    case .unknownRequirement: .unknownRequirement
    case .cycle: .cycle
    case .graceNotPositive: .graceNotPositive
    case .limitNotPositive: .limitNotPositive
    case .startLimitNotPositive: .startLimitNotPositive
    case .emptyName: .emptyName
    case .runInside: .runInside
    case .triggerCannotListen: .triggerCannotListen
    case .environment: .environment
    case .lifecycleTaken: .lifecycleTaken
    }
  }

  /// Writes the kind, the ``description`` for people, and the keys that a mistake of this kind has.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(word, forKey: .kind)
    try container.encode(description, forKey: .text)
    switch kind {
    case .duplicateName(let name), .runInside(let name): try container.encode(name, forKey: .phase)
    case .unknownRequirement(let name, let other):
      try container.encode(name, forKey: .phase)
      try container.encode(other, forKey: .requires)
    case .cycle(let names): try container.encode(names, forKey: .path)
    case .graceNotPositive(let grace): try container.encode(Seconds(grace), forKey: .limit)
    case .limitNotPositive(let name, let limit), .startLimitNotPositive(let name, let limit):
      try container.encode(name, forKey: .phase)
      try container.encode(Seconds(limit), forKey: .limit)
    case .emptyName: break
    case .triggerCannotListen(let trigger, let reason):
      try container.encode(trigger, forKey: .trigger)
      try container.encode(reason, forKey: .reason)
    case .lifecycleTaken(let name, let lifecycle):
      try container.encode(name, forKey: .phase)
      try container.encode(lifecycle, forKey: .lifecycle)
    case .environment(let variable, let value, let reason):
      try container.encode(variable, forKey: .variable)
      try container.encode(value, forKey: .value)
      try container.encode(reason, forKey: .reason)
    }
  }

  /// Reads a mistake of a report or a plan.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    func text(_ key: CodingKeys) throws -> String { try container.decode(String.self, forKey: key) }
    func limit() throws -> Duration { try container.decode(Seconds.self, forKey: .limit).duration }
    let kind: Kind =
      switch try container.decode(Word.self, forKey: .kind) {
      case .duplicateName: .duplicateName(try text(.phase))
      case .unknownRequirement: .unknownRequirement(phase: try text(.phase), requires: try text(.requires))
      case .cycle: .cycle(try container.decode([String].self, forKey: .path))
      case .graceNotPositive: .graceNotPositive(try limit())
      case .limitNotPositive: .limitNotPositive(phase: try text(.phase), try limit())
      case .startLimitNotPositive: .startLimitNotPositive(phase: try text(.phase), try limit())
      case .emptyName: .emptyName
      case .runInside: .runInside(phase: try text(.phase))
      case .triggerCannotListen: .triggerCannotListen(trigger: try text(.trigger), reason: try text(.reason))
      case .lifecycleTaken: .lifecycleTaken(phase: try text(.phase), lifecycle: try text(.lifecycle))
      case .environment:
        .environment(variable: try text(.variable), value: try text(.value), reason: try text(.reason))
      }
    self.init(kind: kind)
  }
}
