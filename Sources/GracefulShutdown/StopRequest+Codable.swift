extension StopRequest: Codable {
  private enum CodingKeys: String, CodingKey {
    case source = "who"
    case why, urgency
  }

  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(source, forKey: .source)
    try container.encode(why, forKey: .why)
    try container.encode(urgency.kind, forKey: .urgency)
  }

  /// Reads the request of a report.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      source: try container.decode(Source.self, forKey: .source), why: try container.decode(String.self, forKey: .why),
      urgency: Urgency(kind: try container.decode(Urgency.Kind.self, forKey: .urgency)))
  }

  /// The request of a snapshot, perhaps of a later version.
  ///
  /// An urgency that is not known here is read as a drain: how a stop that is going on was asked for must not keep its state
  /// from being shown.
  struct OfAnyVersion: Decodable {
    let request: StopRequest

    init(from decoder: any Decoder) throws {
      let container = try decoder.container(keyedBy: CodingKeys.self)
      let urgency = Urgency.Kind(rawValue: try container.decode(String.self, forKey: .urgency)) ?? .drain
      request = StopRequest(
        source: try container.decode(Source.self, forKey: .source),
        why: try container.decode(String.self, forKey: .why), urgency: Urgency(kind: urgency))
    }
  }
}

extension StopRequest.Source: Codable {
  private enum CodingKeys: String, CodingKey {
    case kind, text, signal, pid, phase, path, name, detail, escalates
  }

  private enum Word: String {
    case signal, code, successor, phaseFailed, phaseEnded, cancellation, serviceGroup, control, file, http, custom
  }

  private var word: Word {
    switch origin {
    case .signal: .signal
    case .code: .code
    case .successor: .successor
    case .phaseFailed: .phaseFailed
    case .phaseEnded: .phaseEnded
    case .cancellation: .cancellation
    case .serviceGroup: .serviceGroup
    case .control: .control
    case .file: .file
    case .http: .http
    case .custom: .custom
    }
  }

  /// Writes the kind, the ``description`` for people, and the keys that a source of this kind has.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(word.rawValue, forKey: .kind)
    try container.encode(description, forKey: .text)
    switch origin {
    case .signal(let number): try container.encode(number, forKey: .signal)
    case .successor(let process): try container.encode(process, forKey: .pid)
    case .phaseFailed(let name), .phaseEnded(let name): try container.encode(name, forKey: .phase)
    case .file(let path): try container.encode(path, forKey: .path)
    case .custom(let name, let detail, let escalates):
      try container.encode(name, forKey: .name)
      try container.encode(detail, forKey: .detail)
      try container.encode(escalates, forKey: .escalates)
    case .code, .cancellation, .serviceGroup, .control, .http: break
    }
  }

  /// Reads the source of a request.
  ///
  /// A kind that only a later version knows is no error: it is a source of that kind, with its text as the detail.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let kind = try container.decode(String.self, forKey: .kind)
    switch Word(rawValue: kind) {
    case .signal: self = .signal(try container.decode(Int32.self, forKey: .signal))
    case .code: self = .code
    case .successor: self = .successor(try container.decode(Int32.self, forKey: .pid))
    case .phaseFailed: self = .phaseFailed(try container.decode(String.self, forKey: .phase))
    case .phaseEnded: self = .phaseEnded(try container.decode(String.self, forKey: .phase))
    case .cancellation: self = .cancellation
    case .serviceGroup: self = .serviceGroup
    case .control: self = .control
    case .file: self = .file(try container.decode(String.self, forKey: .path))
    case .http: self = .http
    case .custom:
      self.init(
        kind: try container.decode(String.self, forKey: .name),
        detail: try container.decode(String.self, forKey: .detail),
        escalatesWhenRepeated: try container.decode(Bool.self, forKey: .escalates))
    case nil: self.init(kind: kind, detail: try container.decodeIfPresent(String.self, forKey: .text) ?? "")
    }
  }
}
