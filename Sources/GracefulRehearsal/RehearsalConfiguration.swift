/// What to rehearse, and how hard.
public struct RehearsalConfiguration: Sendable {
  /// The server's command; empty stands for `graceful demo`.
  public var command: [String] = []
  /// The path of the `graceful` executable, for the command word `graceful`.
  public var graceful: String
  /// The environment of the server.
  public var environment: [String: String]
  /// How many restarts, or stops; 20.
  public var restarts = 20
  /// From one restart's outcome to the next restart, at least, and from one request for a restart to the next; 1.5 s.
  public var interval: Duration = .milliseconds(1500)
  /// How many clients of each mode; 64.
  public var connections = 64
  /// Which clients there are; both.
  public var modes: [LoadMode] = [.keepalive, .new]
  /// How it is restarted; its command is run again.
  public var restart = RestartMethod.startAgain
  /// How it is asked to stop; `nil` for restarts.
  ///
  /// Each time it must end by itself, with code 0; then its command is run again.
  public var stop: StopMethod?
  /// How long a stop may take; 30 s.
  public var stopLimit: Duration = .seconds(30)
  /// Where the load goes; `nil` for the demo, which says where it serves.
  public var url: TargetURL?
  /// A file in which the server writes the number of its newest process, where it forks.
  public var pidFile: String?
  /// What happens to each second successor; nothing.
  public var fault = RehearsalFault.none
  /// How long the load runs before the first restart; 5 s.
  public var steady: Duration = .seconds(5)
  /// When a request has timed out; 5 s.
  public var requestLimit: Duration = .seconds(5)
  /// How long the first server may take until it answers, and a restart until its outcome is known; 30 s.
  public var readyLimit: Duration = .seconds(30)
  /// How long an old process may live under load after the last restart, and then once more without load; a stopped one
  /// after it was stopped; 15 s.
  public var leftOverLimit: Duration = .seconds(15)
  /// Whether a restart counts where it cannot be seen which process answers after it; it does not.
  ///
  /// Then a command that exits with 0 is a restart, and so is a new process while the server answers: nothing tells whether
  /// the requests that followed were answered by an old process.
  public var trustsRestarts = false
  /// What bodies are held against; `nil`, so that an answer is right when it is whole.
  public var expectedBody: BodyExpectation?
  /// Whether the address for the load is found by following redirects, five at most; it is not.
  public var followsRedirects = false
  /// The 99th percentile that the latency of no mode may exceed, in no phase; `nil` for any.
  public var maxP99: Duration?
  /// The latency that no answered request may exceed; `nil` for any.
  public var maxLatency: Duration?
  /// Whether the server's standard error goes to ours; otherwise its last lines are kept, for the report of a failure.
  public var passesErrorOutput = false

  /// Makes a configuration with the defaults above.
  public init(graceful: String, environment: [String: String]) {
    self.graceful = graceful
    self.environment = environment
  }

  /// Why it cannot be rehearsed like this, in a sentence; `nil` when it can.
  public var usageError: String? {
    let demo = ServerCommand.isDemo(command)
    if restarts < 0 { return "--restarts must not be negative" }
    if connections < 1 { return "--connections must be at least 1" }
    if requestLimit <= .zero { return "--request-limit must be above 0" }
    if trustsRestarts && stop != nil {
      return "--trust-restart is for restarts: whether a server has stopped is always known"
    }
    if modes.isEmpty { return "there must be clients of at least one mode" }
    if stop != nil && (restart != .startAgain || fault != .none) {
      return "--stop excludes --restart and --fault: a server that has stopped is started anew by its command"
    }
    if stop != nil && demo && ServerCommand.listensAnywhere(command) {
      return "--stop needs an address that stays: name a port in --listen, or leave it out"
    }
    if fault != .none && (!demo || restart != .startAgain) {
      return
        "--fault works only for 'graceful demo' with --restart start-again: only there can a successor be met before it is ready"
    }
    if !demo && url == nil {
      return "--url is required for a command other than 'graceful demo': it does not say where it serves"
    }
    if demo && command.isEmpty && url != nil {
      return "--url without a command: write the command after --, or leave --url out to rehearse the demo"
    }
    return nil
  }
}
