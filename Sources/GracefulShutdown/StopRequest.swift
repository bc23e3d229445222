/// Somebody asks the lifecycle to stop: who, why, and how urgently.
///
/// The first request fixes the deadline and starts the drain. What later ones do is in ``Urgency``.
public struct StopRequest: Hashable, Sendable {
  /// Who asks.
  public var who: Asker
  /// Why, in words for the report and the log.
  ///
  /// Empty when the asker says it all.
  public var why: String
  /// How urgently.
  ///
  /// ``Urgency/drain`` unless said otherwise.
  public var urgency: Urgency

  /// Makes a request.
  public init(who: Asker = .code, why: String = "", urgency: Urgency = .drain) {
    self.who = who
    self.why = why
    self.urgency = urgency
  }
}

extension StopRequest {
  /// Who can ask for a stop.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Asker: Hashable, Sendable, CustomStringConvertible {
    package enum Kind: Hashable, Sendable {
      case signal(Int32)
      case code
      case successor(Int32)
      case phaseFailed(String)
      case phaseEnded(String)
      case cancellation
      case serviceGroup
      case control
      case file(String)
      case http
    }

    package let kind: Kind

    /// A signal that the process received.
    public static func signal(_ number: Int32) -> Self { Self(kind: .signal(number)) }
    /// The program itself.
    public static var code: Self { Self(kind: .code) }
    /// A process that took over what this one did.
    public static func successor(_ pid: Int32) -> Self { Self(kind: .successor(pid)) }
    /// A phase that threw before anybody had asked for a stop.
    public static func phaseFailed(_ name: String) -> Self { Self(kind: .phaseFailed(name)) }
    /// A phase that returned before anybody had asked for a stop.
    public static func phaseEnded(_ name: String) -> Self { Self(kind: .phaseEnded(name)) }
    /// The task that called `run()` was cancelled.
    public static var cancellation: Self { Self(kind: .cancellation) }

    /// The `ServiceGroup` of swift-service-lifecycle in which this lifecycle runs as a service.
    public static var serviceGroup: Self { Self(kind: .serviceGroup) }
    /// Whoever asked at the control socket; ``StopRequest/why`` says which process of which user.
    public static var control: Self { Self(kind: .control) }
    /// Whoever made the stop file at this path.
    public static func file(_ path: String) -> Self { Self(kind: .file(path)) }
    /// Whoever asked over HTTP; ``StopRequest/why`` says from where.
    public static var http: Self { Self(kind: .http) }

    /// The number of the signal, when it was one.
    public var signal: Int32? {
      if case .signal(let number) = kind { number } else { nil }
    }

    /// A few words: `SIGTERM`, `phase web, which failed`.
    public var description: String {
      switch kind {
      case .signal(let number): Self.signalName(number)
      case .code: "the program"
      case .successor(let pid): "successor \(pid)"
      case .phaseFailed(let name): "phase \(name), which failed"
      case .phaseEnded(let name): "phase \(name), which ended by itself"
      case .cancellation: "cancellation of run()"
      case .serviceGroup: "the service group"
      case .control: "control socket"
      case .file(let path): "stop file \(path)"
      case .http: "HTTP"
      }
    }

    /// Only the numbers that are the same everywhere (POSIX.1-2017, `kill`, the table of `-signal_number`).
    private static func signalName(_ number: Int32) -> String {
      switch number {
      case 1: "SIGHUP"
      case 2: "SIGINT"
      case 3: "SIGQUIT"
      case 15: "SIGTERM"
      default: "signal \(number)"
      }
    }

    /// Whether a repetition escalates: an operator presses ^C again, a supervisor sends SIGTERM again.
    var escalatesWhenRepeated: Bool { signal == 2 || signal == 15 }
  }

  /// How urgent a request is.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Urgency: Hashable, Sendable {
    package enum Kind: Hashable, Sendable {
      case drain
      case cancelNow
      case exitNow
    }

    package let kind: Kind

    /// Finish what is being done, take nothing new.
    ///
    /// A second such request joins the first, unless it is a repeated SIGINT or SIGTERM: of these, the second cancels
    /// now and the third exits now. Each request counts; of the signals that a process gets, those of the same number within
    /// 20 ms are one request (`Trigger.signals`).
    public static var drain: Self { Self(kind: .drain) }
    /// Skip what is left of the drain: cancel, in order, and abandon what has not ended after the cancel limit.
    public static var cancelNow: Self { Self(kind: .cancelNow) }
    /// Abandon everything at once.
    public static var exitNow: Self { Self(kind: .exitNow) }
  }
}

extension StopRequest: CustomStringConvertible {
  /// Who and why, on one line.
  public var description: String { why.isEmpty ? "\(who)" : "\(who): \(why)" }
}
