/// A request to stop the lifecycle: where it comes from, why, and how urgent it is.
///
/// The first request fixes the deadline and starts the drain. What later ones do is in ``Urgency``.
public struct StopRequest: Hashable, Sendable {
  /// Where it comes from.
  public var source: Source
  /// Why, in words for the report and the log.
  ///
  /// Empty when the source says it all.
  public var why: String
  /// How urgent it is.
  ///
  /// ``Urgency/drain`` unless said otherwise.
  public var urgency: Urgency

  /// Makes a request.
  public init(source: Source = .code, why: String = "", urgency: Urgency = .drain) {
    self.source = source
    self.why = why
    self.urgency = urgency
  }
}

extension StopRequest {
  /// Where a request to stop comes from.
  ///
  /// A trigger of your own has a source of its own, by which the report, the log and the metrics know it:
  ///
  /// ```swift
  /// extension StopRequest.Source {
  ///   static func consul(_ key: String) -> Self { Self(kind: "consul", detail: key) }
  /// }
  /// ```
  ///
  /// More kinds will come, so sources are compared, not switched over.
  public struct Source: Hashable, Sendable, CustomStringConvertible {
    package enum Origin: Hashable, Sendable {
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
      case custom(kind: String, detail: String, escalates: Bool)
    }

    package let origin: Origin

    private init(_ origin: Origin) { self.origin = origin }

    /// A source of a trigger of your own.
    /// - Parameters:
    ///   - kind: What it is, in a word: the value of `source` in metrics, so there should be few of them.
    ///   - detail: Which one of them, for the report and the log; none unless given.
    ///   - escalatesWhenRepeated: Whether a second request of this kind cancels what drains, and a third one exits now, as
    ///     with SIGTERM. False: further ones join the first.
    public init(kind: String, detail: String = "", escalatesWhenRepeated: Bool = false) {
      self.init(.custom(kind: kind, detail: detail, escalates: escalatesWhenRepeated))
    }

    /// A signal that the process received.
    public static func signal(_ number: Int32) -> Self { Self(.signal(number)) }
    /// The program itself.
    public static var code: Self { Self(.code) }
    /// A process that took over what this one did.
    public static func successor(_ pid: Int32) -> Self { Self(.successor(pid)) }
    /// A phase that threw before a stop was requested.
    public static func phaseFailed(_ name: String) -> Self { Self(.phaseFailed(name)) }
    /// A phase that returned before a stop was requested.
    public static func phaseEnded(_ name: String) -> Self { Self(.phaseEnded(name)) }
    /// The task that called `run()` was cancelled.
    public static var cancellation: Self { Self(.cancellation) }
    /// The `ServiceGroup` of swift-service-lifecycle in which this lifecycle runs as a service.
    public static var serviceGroup: Self { Self(.serviceGroup) }
    /// A request at the control socket; ``StopRequest/why`` says from which process of which user.
    public static var control: Self { Self(.control) }
    /// The stop file at this path.
    public static func file(_ path: String) -> Self { Self(.file(path)) }
    /// A request over HTTP; ``StopRequest/why`` says from where.
    public static var http: Self { Self(.http) }

    /// What it is, in one word, as in JSON and in metrics: `signal`, `http`, or the kind of a trigger of your own.
    public var kind: String {
      switch origin {
      case .signal: "signal"
      case .code: "code"
      case .successor: "successor"
      case .phaseFailed: "phaseFailed"
      case .phaseEnded: "phaseEnded"
      case .cancellation: "cancellation"
      case .serviceGroup: "serviceGroup"
      case .control: "control"
      case .file: "file"
      case .http: "http"
      case .custom(let kind, _, _): kind
      }
    }

    /// Which one of its kind: the number of the signal or the process, the name of the phase, the path; empty without one.
    public var detail: String {
      switch origin {
      case .signal(let number), .successor(let number): "\(number)"
      case .phaseFailed(let detail), .phaseEnded(let detail), .file(let detail), .custom(_, let detail, _): detail
      case .code, .cancellation, .serviceGroup, .control, .http: ""
      }
    }

    /// The number of the signal, when it was one.
    public var signal: Int32? {
      if case .signal(let number) = origin { number } else { nil }
    }

    /// Whether a repeated request escalates: the second cancels now, the third exits now.
    ///
    /// Of the built-in sources only SIGINT and SIGTERM do: an operator presses ^C again, a supervisor sends SIGTERM again.
    public var escalatesWhenRepeated: Bool {
      switch origin {
      case .signal(let number): number == 2 || number == 15
      case .custom(_, _, let escalates): escalates
      case .code, .successor, .phaseFailed, .phaseEnded, .cancellation, .serviceGroup, .control, .file, .http: false
      }
    }

    /// Whether it is a process that took over.
    package var isSuccessor: Bool {
      if case .successor = origin { true } else { false }
    }

    /// A few words: `SIGTERM`, `phase web, which failed`.
    public var description: String {
      switch origin {
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
      case .custom(let kind, let detail, _): detail.isEmpty ? kind : "\(kind) \(detail)"
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
  }

  /// How urgent a request is.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Urgency: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, Codable {
      case drain
      case cancelNow
      case exitNow
    }

    package let kind: Kind

    /// Finish what is being done, take nothing new.
    ///
    /// A second such request joins the first, unless its source escalates (``Source/escalatesWhenRepeated``; SIGINT and
    /// SIGTERM do): of these, the second cancels now and the third exits now. Each request counts; of the signals that a process gets, those of the same number within
    /// 20 ms are one request (`Trigger.signals`).
    public static var drain: Self { Self(kind: .drain) }
    /// Skip what is left of the drain: cancel, in order, and abandon what has not ended after the cancel limit.
    public static var cancelNow: Self { Self(kind: .cancelNow) }
    /// Abandon everything at once.
    public static var exitNow: Self { Self(kind: .exitNow) }
  }
}

extension StopRequest: CustomStringConvertible {
  /// Its source and why, on one line.
  public var description: String { why.isEmpty ? "\(source)" : "\(source): \(why)" }
}
