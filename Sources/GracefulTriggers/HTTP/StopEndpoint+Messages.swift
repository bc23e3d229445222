public import GracefulShutdown

extension StopEndpoint {
  /// A header field.
  public struct Header: Hashable, Sendable {
    /// Its name; case means nothing.
    public var name: String
    /// Its value.
    public var value: String

    /// Makes one.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// A request; a body means nothing.
  public struct Request: Hashable, Sendable {
    /// `GET`, `POST`; case matters (RFC 9110 §9.1).
    public var method: String
    /// The target of the request line, as it came: `/shutdown?wait=30s`.
    public var target: String
    /// Its header fields, in their order.
    public var headers: [Header]
    /// The client, for the log and the report: an address.
    public var peer: String?

    /// Makes a request.
    public init(_ method: String, _ target: String, headers: [Header] = [], peer: String? = nil) {
      self.method = method
      self.target = target
      self.headers = headers
      self.peer = peer
    }

    /// Whether its progress is to be told as events: `Accept` names them, and does not refuse them (RFC 9110 §12.4.2).
    var wantsEvents: Bool {
      headers.contains { header in
        header.name.lowercased() == "accept"
          && header.value.split(separator: ",").contains { part in
            let parameters = part.split(separator: ";").map { $0.trimmed.lowercased() }
            let weight = parameters.dropFirst().first { $0.hasPrefix("q=") }?.dropFirst(2)
            return parameters.first == "text/event-stream" && !(weight?.allSatisfy { $0 == "0" || $0 == "." } ?? false)
          }
      }
    }
  }

  /// What is answered.
  public struct Response: Hashable, Sendable {
    /// The status code.
    public var status: Int
    /// Its header fields but for `Content-Length`, which the server writes, and `Connection`.
    public var headers: [Header]
    /// The body.
    public var body: String
    /// Whether the body is sent: it is not to a HEAD, and its length is (RFC 9110 §9.3.2).
    public var sendsBody = true

    /// An answer that no cache may keep (`Cache-Control: no-store`).
    public init(status: Int, type: String = "text/plain; charset=utf-8", body: String) {
      self.status = status
      headers = [Header("Content-Type", type), Header("Cache-Control", "no-store")]
      self.body = body
    }

    package static func words(_ text: String, _ status: Int) -> Self { Self(status: status, body: text + "\n") }

    /// The process to be stopped is another one, or that is being decided: a client that asks again, reaches it.
    package static func elsewhere(_ reason: String) -> Self { error(reason, 503).with("Retry-After", "1") }

    static func error(_ text: String, _ status: Int) -> Self {
      Self(status: status, type: "application/json", body: JSONLine.of(["error": text]) + "\n")
    }

    func with(_ name: String, _ value: String) -> Self {
      var response = self
      response.headers.append(Header(name, value))
      return response
    }

    func answering(_ request: Request) -> Self {
      var response = self
      response.sendsBody = request.method != "HEAD"
      return response
    }
  }

  /// What can be known of the program at one instant.
  public struct View: Sendable {
    /// Where everything is.
    ///
    /// `nil` where there is no lifecycle.
    public var snapshot: LifecycleSnapshot?
    /// How it ended, once it has.
    public var report: LifecycleReport?
    /// Whether everything was ready once; see ``ReadyMemory``.
    public var wasReady: Bool
    /// Whether a stop was asked for: what is known of that without a lifecycle.
    public var isAsked: Bool
    /// A snapshot as JSON of schema 1.
    public var json: @Sendable (LifecycleSnapshot) -> String

    /// Makes one.
    public init(
      snapshot: LifecycleSnapshot?, report: LifecycleReport? = nil, wasReady: Bool, isAsked: Bool = false,
      json: @escaping @Sendable (LifecycleSnapshot) -> String
    ) {
      self.snapshot = snapshot
      self.report = report
      self.wasReady = wasReady
      self.isAsked = isAsked
      self.json = json
    }

    var isReady: Bool {
      guard report == nil, !isAsked else { return false }
      return snapshot.map { $0.state == .running } ?? true
    }

    var readiness: String {
      if isReady { return "ready" }
      if report != nil { return "stopped" }
      guard let snapshot, snapshot.state != .stopping, !isAsked else { return "stopping" }
      return snapshot.state == .finished ? "stopped" : wasReady ? "restarting" : "starting"
    }
  }

  /// What is to be done about a request.
  public struct Decision: Equatable, Sendable {
    /// What follows.
    ///
    /// Complete, so that a server of your own can switch over it: it must be able to do each of these.
    public enum Next: Hashable, Sendable {
      /// This is the answer.
      case answer(Response)
      /// The answer comes when the program has stopped, or when the time is over.
      case wait(upTo: Duration)
      /// The answer is a stream of events until the program has stopped, or the time is over.
      case stream(upTo: Duration?)
    }

    /// A stop that is to be asked for before anything is answered.
    public var stopRequest: StopRequest?
    /// What follows.
    public var next: Next

    /// Makes one.
    public init(_ next: Next, stopRequest: StopRequest? = nil) {
      self.next = next
      self.stopRequest = stopRequest
    }
  }
}
