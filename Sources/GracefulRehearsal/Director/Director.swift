internal import GracefulDescriptors
internal import GracefulProcesses
internal import NIOCore

/// What the director tells while it works.
public struct RehearsalProgress: Hashable, Sendable {
  /// Since the start.
  public var elapsed: Duration
  /// How many restarts, or stops, have an outcome.
  public var restartsDone: Int
  /// How many were asked for.
  public var restarts: Int
  /// Whether they are stops.
  public var areStops = false
  /// Requests that have ended, so far.
  public var requests: Int
  /// Those of them that failed.
  public var failures: Int
}

/// One restart as the director saw it.
struct RestartRecord {
  var askedAt: NIODeadline
  var endedAt: NIODeadline
  var finish: RestartStateMachine.Finish
  /// Whom it was asked of, and what was below that one then.
  var old: ProcessID?
  var oldTree: Set<ProcessEntry.Identity> = []
  var faultPlanned: Bool
  /// When the process was first seen to answer that serves.
  var servedAt: NIODeadline?

  /// Whether it is the process that serves now, known or not.
  var seemsServed: Bool { finish.outcome == .served || finish.outcome == .notKnown }
}

/// Starts the server, lets the load run, and asks for one restart, or stop, after the other.
struct Director {
  let configuration: RehearsalConfiguration
  let command: ServerCommand
  let processes: ServerProcesses
  let observations: LoadObservations
  let startedAt: NIODeadline
  let progress: @Sendable (RehearsalProgress) -> Void
  var events: DirectorEvents

  /// The newest process that serves, as far as it is known.
  var newest: ProcessID?
  var records: [RestartRecord] = []
  /// Each stop, in the order of ``StopWindows``.
  var stops: [StopRecord] = []
  /// Each `serving` line, with when it came.
  private(set) var servings: [(at: NIODeadline, identity: ServerIdentity)] = []
  private var hadLive = false

  init(
    configuration: RehearsalConfiguration, command: ServerCommand, processes: ServerProcesses,
    observations: LoadObservations, startedAt: NIODeadline, events: DirectorEvents,
    progress: @escaping @Sendable (RehearsalProgress) -> Void
  ) {
    self.configuration = configuration
    self.command = command
    self.processes = processes
    self.observations = observations
    self.startedAt = startedAt
    self.events = events
    self.progress = progress
  }

  /// An event, noted: a process that says that it serves is the newest from then on.
  mutating func next(until deadline: ContinuousClock.Instant) async throws(NotDone) -> DirectorEvent? {
    let event = try await events.next(until: deadline)
    if case .line(.serving(_, let identity)) = event {
      processes.observe(identity.pid)
      newest = identity.pid
      servings.append((.now(), identity))
    }
    return event
  }

  // MARK: The first server

  /// Starts the server and waits until it answers.
  ///
  /// - Returns: Where the load goes.
  mutating func start() async throws(NotDone) -> LoadSettings {
    if !command.isDemo, let url = configuration.url {
      let sight = await Probe(try Self.settings(url, configuration)).look(onAnyAddress: true)
      if sight.isGood {
        throw NotDone("something answers at \(url) already, before the command was started; end it first.")
      }
    }
    var settings = try await launch()
    switch configuration.expectedBody {
    case .length:
      settings.expectedLength = await Probe(settings).usualLength()
      if settings.expectedLength == nil {
        throw NotDone(
          "--expect-body length: three answers before the load differ in length, or say themselves whose they are.")
      }
    case .pattern(let pattern): settings.expectedPattern = pattern
    case nil: break
    }
    settings.sources = SourceAddresses.needed(for: settings.address, reuse: SourceAddresses.reuseSetting())
    return settings
  }

  /// Runs the command and waits until it answers.
  mutating func launch() async throws(NotDone) -> LoadSettings {
    let before = RestartWitness(before: processes.live())
    let said = servings.count
    let first: ProcessID
    do throws(SystemError) {
      first = try processes.start(command.words)
    } catch {
      throw NotDone("the server could not be started: \(error).")
    }
    newest = first
    let deadline = ContinuousClock.now + configuration.readyLimit
    var readiness = Readiness(configuration)
    var settings: LoadSettings?
    var ending: ExitStatus?
    if let url = configuration.url { settings = try Self.settings(url, configuration) }
    while true {
      if settings != nil, !command.isDemo || servings.count > said { break }
      guard let event = try await next(until: deadline) else { throw readiness.neverSaid }
      try check(event, first)
      if settings == nil, case .line(.serving(let text, _)) = event {
        guard let url = TargetURL(text) else {
          throw NotDone("the server says that it serves \(text), which is no URL.")
        }
        settings = try Self.settings(url, configuration)
      }
    }
    guard var settings else { throw readiness.neverSaid }
    while await !readiness.look(&settings) {
      if let ending, processes.isEmpty, await !readiness.look(&settings) { throw endedBefore(ending) }
      guard ContinuousClock.now < deadline else { throw readiness.neverAnswered(settings.url) }
      guard let event = try await next(until: .now + .milliseconds(50)) else { continue }
      try check(event, first)
      if case .ended(first, let status) = event { ending = status }
    }
    if !command.isDemo { newest = newestOf(before) ?? first }
    hadLive = !processes.isEmpty
    return settings
  }

  private func check(_ event: DirectorEvent, _ first: ProcessID) throws(NotDone) {
    guard case .ended(first, let status) = event else { return }
    // A server that goes into the background ends its first process with 0.
    if !command.isDemo, status == .exited(0) { return }
    throw endedBefore(status)
  }

  private func endedBefore(_ status: ExitStatus?) -> NotDone {
    NotDone("the server ended: it \(status.map(\.description) ?? "is gone") before it answered.")
  }

  static func settings(_ url: TargetURL, _ configuration: RehearsalConfiguration) throws(NotDone) -> LoadSettings {
    do {
      let address = try SocketAddress.makeAddressResolvingHost(url.host, port: url.port)
      var settings = LoadSettings(url: url, address: address)
      settings.limit = .nanoseconds(configuration.requestLimit.nanoseconds)
      return settings
    } catch {
      throw NotDone("\(url.host) has no address: \(error).")
    }
  }

  // MARK: The run

  /// Waits, tells how it goes, and looks whether there is still something to rehearse.
  mutating func wait(until deadline: ContinuousClock.Instant) async throws(NotDone) {
    while ContinuousClock.now < deadline {
      try await tick()
      _ = try await next(until: min(deadline, .now + .milliseconds(250)))
    }
  }

  private mutating func tick() async throws(NotDone) {
    tellProgress()
    if let refusal = observations.ownRefusal { throw NotDone(OwnRefusal.sentence(errno: refusal), isVoid: true) }
    guard hadLive, processes.isEmpty else { return }
    // A server that some manager runs is not below us after a restart: it counts as alive while it answers.
    if let url = configuration.url,
      await Probe(try Self.settings(url, configuration)).look(onAnyAddress: true).isGood
    {
      hadLive = false
      return
    }
    let how = newest.flatMap { pid in processes.status(of: pid).map { "process \(pid) \($0)" } }
    throw NotDone("the server died during the run: \(how ?? "none of its processes is alive").")
  }

  func tellProgress() {
    let (ended, failed) = observations.counts
    progress(
      RehearsalProgress(
        elapsed: .nanoseconds((NIODeadline.now() - startedAt).nanoseconds), restartsDone: records.count + stops.count,
        restarts: configuration.restarts, areStops: configuration.stop != nil, requests: ended, failures: failed))
  }

  /// The steady time, all restarts or stops, and one interval more: a loss that the last one causes must be seen too.
  mutating func run(_ settings: LoadSettings) async throws(NotDone) {
    try await wait(until: .now + configuration.steady)
    for index in 1...max(1, configuration.restarts) where index <= configuration.restarts {
      let asked = ContinuousClock.now
      if let method = configuration.stop {
        try await stop(by: method, settings)
      } else {
        try await restart(index, settings)
      }
      tellProgress()
      try await wait(until: asked + configuration.interval)
    }
    try await waitForOldOnes()
    // A loss that the last end causes must be seen too.
    try await wait(until: .now + configuration.interval)
  }

  /// Waits, while the load goes on, until the old processes have ended, or their time is over: what they lose when they
  /// end must be seen.
  mutating func waitForOldOnes() async throws(NotDone) {
    let deadline = ContinuousClock.now + configuration.leftOverLimit
    while !outlivers(newest: currentNewest()).isEmpty, ContinuousClock.now < deadline {
      try await wait(until: min(deadline, .now + .milliseconds(100)))
    }
  }
}

extension Duration {
  package var nanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }

  package var milliseconds: Double { Double(nanoseconds) / 1_000_000 }
}
