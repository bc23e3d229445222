internal import GracefulJSON

extension PhaseReport: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, parent, requires, end, error, startedAfter, readyAfter, drainAfter, turnAfter, endedAfter, sessions
    case restarted, restarts
  }

  /// Writes every key, with `null` for what did not happen.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encodeNullable(parent, forKey: .parent)
    try container.encode(requires, forKey: .requires)
    try container.encode(end.word, forKey: .end)
    try container.encodeNullable(end.error, forKey: .error)
    try container.encodeNullable(startedAfter.map(Elapsed.init), forKey: .startedAfter)
    try container.encodeNullable(readyAfter.map(Elapsed.init), forKey: .readyAfter)
    try container.encodeNullable(drainAfter.map(Elapsed.init), forKey: .drainAfter)
    try container.encodeNullable(turnAfter.map(Elapsed.init), forKey: .turnAfter)
    try container.encodeNullable(endedAfter.map(Elapsed.init), forKey: .endedAfter)
    try container.encodeNullable(sessions, forKey: .sessions)
    try container.encode(restarted, forKey: .restarted)
    try container.encode(restarts, forKey: .restarts)
  }

  /// Reads a phase of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let word = try container.decode(PhaseEnd.Word.self, forKey: .end)
    let error = try container.decodeNullable(String.self, forKey: .error)
    guard let end = PhaseEnd(word, error: error) else {
      let reason = "\(error == nil ? "null" : "an error"), and the phase is \(word.rawValue)"
      throw DecodingError.dataCorruptedError(forKey: .error, in: container, debugDescription: reason)
    }
    self.init(
      name: try container.decode(String.self, forKey: .name),
      parent: try container.decodeNullable(String.self, forKey: .parent),
      requires: try container.decode([String].self, forKey: .requires), end: end,
      startedAfter: try container.decodeNullable(Elapsed.self, forKey: .startedAfter)?.duration,
      readyAfter: try container.decodeNullable(Elapsed.self, forKey: .readyAfter)?.duration,
      drainAfter: try container.decodeNullable(Elapsed.self, forKey: .drainAfter)?.duration,
      turnAfter: try container.decodeNullable(Elapsed.self, forKey: .turnAfter)?.duration,
      endedAfter: try container.decodeNullable(Elapsed.self, forKey: .endedAfter)?.duration)
    sessions = try container.decodeNullable(SessionReport.self, forKey: .sessions)
    restarted = try container.decode(Count.self, forKey: .restarted).number
    restarts = try container.decode([RestartReport].self, forKey: .restarts)
  }
}

extension PhaseEnd {
  /// How a phase ended, in one word, as in JSON and in metrics.
  package enum Word: String, Codable, CaseIterable {
    case drained, endedByItself, cancelled, abandoned, failed, neverStarted
  }

  package var word: Word {
    switch kind {
    case .drained: .drained
    case .endedByItself: .endedByItself
    case .cancelled: .cancelled
    case .abandoned: .abandoned
    case .failed: .failed
    case .neverStarted: .neverStarted
    }
  }

  /// - Returns: `nil` when a phase that ended so has no error, or must have one.
  init?(_ word: Word, error: String?) {
    switch (word, error) {
    case (.drained, nil): self = .drained
    case (.endedByItself, nil): self = .endedByItself
    case (.cancelled, _): self = .cancelled(error: error)
    case (.abandoned, nil): self = .abandoned
    case (.failed, let error?): self = .failed(error)
    case (.neverStarted, nil): self = .neverStarted
    case (.drained, _?), (.endedByItself, _?), (.abandoned, _?), (.failed, nil), (.neverStarted, _?): return nil
    }
  }
}

extension SessionReport: Codable {
  private enum CodingKeys: String, CodingKey {
    case admitted, refused, drained, failed, cancelled, abandoned
  }

  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(admitted, forKey: .admitted)
    try container.encode(refused, forKey: .refused)
    try container.encode(drained, forKey: .drained)
    try container.encode(failed, forKey: .failed)
    try container.encode(cancelled, forKey: .cancelled)
    try container.encode(abandoned, forKey: .abandoned)
  }

  /// Reads the sessions of a phase of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      admitted: try container.decode(Count.self, forKey: .admitted).number,
      refused: try container.decode(Count.self, forKey: .refused).number,
      drained: try container.decode(Count.self, forKey: .drained).number,
      failed: try container.decode(Count.self, forKey: .failed).number,
      cancelled: try container.decode(Count.self, forKey: .cancelled).number,
      abandoned: try container.decode(Count.self, forKey: .abandoned).number)
  }
}

extension RestartReport: Codable {
  private enum CodingKeys: String, CodingKey {
    case after, reason, delay
  }

  /// Writes every key; the delay is `null` where the phase gave up.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Elapsed(after), forKey: .after)
    try container.encode(reason, forKey: .reason)
    try container.encodeNullable(delay.map(Elapsed.init), forKey: .delay)
  }

  /// Reads a restart of a phase of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      after: try container.decode(Elapsed.self, forKey: .after).duration,
      reason: try container.decode(String.self, forKey: .reason),
      delay: try container.decodeNullable(Elapsed.self, forKey: .delay)?.duration)
  }
}
