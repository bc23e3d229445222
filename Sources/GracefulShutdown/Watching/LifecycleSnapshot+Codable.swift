internal import GracefulJSON

/// As `schemas/lifecycle-snapshot-1.json` describes it: the keys stay, whatever the properties are called.
///
/// A later version may know more states and more ways to end. What such a version has written is read all the same: a state
/// is kept as its word, and an end that is not known is left out.
extension LifecycleSnapshot: Codable {
  private enum CodingKeys: String, CodingKey {
    case schema, lifecycle, state, running, request, grace, left, lameDuckLeft, phases
  }

  private static var schema: Int { 1 }

  /// Writes every key, with `null` for what is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(Self.schema, forKey: .schema)
    try container.encode(lifecycle, forKey: .lifecycle)
    try container.encode(state.description, forKey: .state)
    try container.encodeNullable(running.map(Elapsed.init), forKey: .running)
    try container.encodeNullable(request, forKey: .request)
    try container.encode(Seconds(grace), forKey: .grace)
    try container.encodeNullable(left.map(Seconds.init), forKey: .left)
    try container.encodeNullable(lameDuckLeft.map(Seconds.init), forKey: .lameDuckLeft)
    try container.encode(phases, forKey: .phases)
  }

  /// Reads a snapshot of schema 1.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try SchemaVersion.check(is: Self.schema, in: container, forKey: .schema)
    lifecycle = try container.decode(String.self, forKey: .lifecycle)
    state = State(description: try container.decode(String.self, forKey: .state))
    running = try container.decodeNullable(Elapsed.self, forKey: .running)?.duration
    request = try container.decodeNullable(StopRequest.OfAnyVersion.self, forKey: .request)?.request
    grace = try container.decode(Seconds.self, forKey: .grace).duration
    left = try container.decodeNullable(Seconds.self, forKey: .left)?.duration
    // Left out by versions that had none.
    lameDuckLeft = try container.decodeIfPresent(Seconds.self, forKey: .lameDuckLeft)?.duration
    phases = try container.decode([PhaseSnapshot].self, forKey: .phases)
  }
}

extension PhaseSnapshot: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, parent, state, end, error, age, left, waits, restarts, children, sessions
  }

  private enum SessionKeys: String, CodingKey {
    case live, admitted, refused, failed, cancelled, oldest
  }

  /// Writes every key, with `null` for what is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encodeNullable(parent, forKey: .parent)
    try container.encode(state.description, forKey: .state)
    try container.encodeNullable(end?.word, forKey: .end)
    try container.encodeNullable(end?.error, forKey: .error)
    try container.encodeNullable(age.map(Elapsed.init), forKey: .age)
    try container.encodeNullable(left.map(Seconds.init), forKey: .left)
    try container.encode(isWaiting, forKey: .waits)
    try container.encode(restarts, forKey: .restarts)
    try container.encode(children, forKey: .children)
    var sessions = container.nestedContainer(keyedBy: SessionKeys.self, forKey: .sessions)
    try sessions.encode(sessionsLive, forKey: .live)
    try sessions.encode(sessionsAdmitted, forKey: .admitted)
    try sessions.encode(sessionsRefused, forKey: .refused)
    try sessions.encode(sessionsFailed, forKey: .failed)
    try sessions.encode(sessionsCancelled, forKey: .cancelled)
    try sessions.encode(oldestSessions, forKey: .oldest)
  }

  /// Reads a phase of a snapshot.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    parent = try container.decodeNullable(String.self, forKey: .parent)
    state = State(description: try container.decode(String.self, forKey: .state))
    let word = try container.decodeNullable(String.self, forKey: .end).flatMap(PhaseEnd.Word.init)
    let error = try container.decodeNullable(String.self, forKey: .error)
    end = word.flatMap { PhaseEnd($0, error: error) }
    age = try container.decodeNullable(Elapsed.self, forKey: .age)?.duration
    left = try container.decodeNullable(Seconds.self, forKey: .left)?.duration
    isWaiting = try container.decode(Bool.self, forKey: .waits)
    restarts = try container.decode(Count.self, forKey: .restarts).number
    children = try container.decode(Count.self, forKey: .children).number
    let sessions = try container.nestedContainer(keyedBy: SessionKeys.self, forKey: .sessions)
    sessionsLive = try sessions.decode(Count.self, forKey: .live).number
    sessionsAdmitted = try sessions.decode(Count.self, forKey: .admitted).number
    sessionsRefused = try sessions.decode(Count.self, forKey: .refused).number
    sessionsFailed = try sessions.decode(Count.self, forKey: .failed).number
    sessionsCancelled = try sessions.decode(Count.self, forKey: .cancelled).number
    oldestSessions = try sessions.decode([SessionSnapshot].self, forKey: .oldest)
  }
}

extension SessionSnapshot: Codable {
  private enum CodingKeys: String, CodingKey {
    case name, age
  }

  /// Writes every key.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try container.encode(Elapsed(age), forKey: .age)
  }

  /// Reads a session of a snapshot.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    name = try container.decode(String.self, forKey: .name)
    age = try container.decode(Elapsed.self, forKey: .age).duration
  }
}
