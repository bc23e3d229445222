internal import GracefulShutdown

/// Asking for a stop over HTTP, the probes and the status, as a pure function from a request to what is to be done.
///
/// It reads nothing and writes nothing: a server gives it what it may see, and does what it says. `GracefulNIO` has two,
/// routes for your own server and a small server of its own; for another server, call ``answer(to:seeing:token:)``.
///
/// | path | methods | answers |
/// |---|---|---|
/// | `/shutdown` | POST | 202 at once; with `?wait=30s` 200 when it has stopped, or 504 and what holds it up; with `Accept: text/event-stream` its progress |
/// | `/livez` | GET, HEAD | 200 as long as the process answers, in a drain too (T4) |
/// | `/readyz` | GET, HEAD | 200 while everything is ready; 503 before that, while a phase restarts, and from the first moment of a stop |
/// | `/startupz` | GET, HEAD | 503 until everything was ready once, 200 from then on |
/// | `/status` | GET, HEAD | the snapshot as JSON, schema 1 |
///
/// The probes need no token and tell nothing but their one word; the other two need it where there is one. A wrong or
/// missing token is 403, another method 405 with `Allow`, a query that cannot be read 400.
public struct StopEndpoint: Sendable {
  /// The paths that are answered; `nil` leaves one to others.
  public struct Paths: Hashable, Sendable {
    /// Where a stop is asked for: `/shutdown`, as `noamt/stop` has it.
    public var shutdown: String? = "/shutdown"
    /// Whether the process lives.
    public var live: String? = "/livez"
    /// Whether requests shall be sent to it.
    public var ready: String? = "/readyz"
    /// Whether it has started.
    public var startup: String? = "/startupz"
    /// Where everything is.
    public var status: String? = "/status"

    /// The defaults.
    public init() {}
  }

  /// Writes the answer to a request for a stop: it is given the request, how far the stop is, and the answer that would
  /// be given, and returns what is.
  public typealias Author = @Sendable (Request, StopAnswer, Response) -> Response

  /// The paths that are answered.
  public var paths = Paths()

  /// Whether `GET /shutdown` asks for a stop, too.
  ///
  /// False. Kubernetes' `preStop.httpGet` cannot do else; but whatever follows links does it as well, so it is never
  /// done without a token.
  public var stopsOnGet = false

  /// Your own code, called whenever a request for a stop is answered, on the event loop that answers: it must not block.
  ///
  /// `nil` unless given: the answer is JSON. A stream of events is not given to it.
  public var author: Author?

  /// The defaults.
  public init() {}

  /// Whether a request for this target (`/shutdown?wait=30s`) is answered here.
  public func answers(_ target: String) -> Bool { RequestTarget(target).flatMap { route(of: $0.path) } != nil }

  /// What is to be done about a request; `nil` when its path is none of these.
  /// - Parameters:
  ///   - view: What can be known of the program now.
  ///   - token: What the client of a stop must send. `nil` means that each client that can send a request at all may stop the
  ///     program.
  public func answer(to request: Request, seeing view: View, token: StopToken?) -> Decision? {
    guard let target = RequestTarget(request.target), let route = route(of: target.path) else { return nil }
    let methods = methods(of: route)
    guard methods.contains(request.method) else {
      let response = Response.words("not by \(Self.shown(request.method))", 405)
      return Decision(.answer(response.with("Allow", methods.joined(separator: ", ")).answering(request)))
    }
    switch route {
    case .live: return Decision(.answer(probe("alive", true, request)))
    case .ready: return Decision(.answer(probe(view.readiness, view.isReady, request)))
    case .startup:
      return Decision(.answer(probe(view.wasReady ? "started" : "starting", view.wasReady, request)))
    case .status:
      guard isAllowed(request, token) else { return Self.refused(request) }
      return Decision(.answer(status(view, request)))
    case .shutdown:
      // A GET can be had from any browser, by a link or a picture: only what brings a token means it.
      guard isAllowed(request, token), token != nil || request.method != "GET" else { return Self.refused(request) }
      do {
        return stop(try StopQuery(target), request, view)
      } catch {
        return Decision(.answer(.error(error.reason, 400)))
      }
    }
  }

  // MARK: Routes

  enum Route: CaseIterable, Hashable, Sendable { case shutdown, live, ready, startup, status }

  func path(of route: Route) -> String? {
    switch route {
    case .shutdown: paths.shutdown
    case .live: paths.live
    case .ready: paths.ready
    case .startup: paths.startup
    case .status: paths.status
    }
  }

  private func route(of path: String) -> Route? {
    // By bytes: two spellings of one character are two paths.
    Route.allCases.first { self.path(of: $0).map { $0.utf8.elementsEqual(path.utf8) } ?? false }
  }

  private func methods(of route: Route) -> [String] {
    switch route {
    case .shutdown: stopsOnGet ? ["GET", "POST"] : ["POST"]
    case .live, .ready, .startup, .status: ["GET", "HEAD"]
    }
  }

  private func isAllowed(_ request: Request, _ token: StopToken?) -> Bool {
    token.map { request.brings($0) } ?? true
  }

  private static func refused(_ request: Request) -> Decision {
    Decision(.answer(.error("the token is missing or wrong", 403).answering(request)))
  }

  /// Of a request's own words no more than is needed to see what went wrong.
  private static func shown(_ text: String) -> String {
    String(text.unicodeScalars.prefix(20).map { (0x21...0x7E).contains($0.value) ? Character($0) : "?" })
  }

  // MARK: Answers

  private func probe(_ word: String, _ isTrue: Bool, _ request: Request) -> Response {
    Response.words(word, isTrue ? 200 : 503).answering(request)
  }

  private func status(_ view: View, _ request: Request) -> Response {
    guard let snapshot = view.snapshot else {
      return Response.error("there is no lifecycle here, and nothing is known", 404).answering(request)
    }
    return Response(status: 200, type: "application/json", body: view.json(snapshot)).answering(request)
  }

  private func stop(_ wishes: StopQuery, _ request: Request, _ view: View) -> Decision {
    if let report = view.report {
      return Decision(.answer(response(to: request, .stopped, StopAnswer(report))))
    }
    let from = request.peer.map { "from \($0)" } ?? ""
    let why = [wishes.why, from].filter { !$0.isEmpty }.joined(separator: ", ")
    let asked = StopRequest(source: .http, why: why)
    // Without a lifecycle it is not known when it has stopped: that it was asked to, is all that is true.
    guard let snapshot = view.snapshot else {
      return Decision(.answer(response(to: request, .accepted, StopAnswer(state: .accepted))), stopRequest: asked)
    }
    if request.wantsEvents { return Decision(.stream(upTo: wishes.wait), stopRequest: asked) }
    if let wait = wishes.wait { return Decision(.wait(upTo: wait), stopRequest: asked) }
    return Decision(.answer(response(to: request, .accepted, StopAnswer(snapshot).requested)), stopRequest: asked)
  }

  /// The answer to a request that asked for a stop.
  package func response(to request: Request, _ outcome: StopConversationStateMachine.Outcome, _ answer: StopAnswer)
    -> Response
  {
    let status =
      switch outcome {
      case .accepted: 202
      case .stopped: 200
      case .late: 504
      }
    let response = Response(status: status, type: "application/json", body: answer.json(outcome) + "\n")
    return author?(request, answer, response) ?? response
  }

  /// What is wrong with it as it was written down.
  package func mistake(token: StopTokenSource?) -> String? {
    var taken: Set<String> = []
    for route in Route.allCases {
      guard let path = path(of: route) else { continue }
      guard let target = RequestTarget(path), target.path.utf8.elementsEqual(path.utf8) else {
        return "the path \"\(path)\" is none; it must begin with a slash and have no query"
      }
      guard taken.insert(path).inserted else { return "the path \(path) is to answer two things; give each its own" }
    }
    if stopsOnGet, token == nil {
      return
        "GET \(paths.shutdown ?? "/shutdown") is switched on without a token; name a file or a variable that has one"
    }
    return nil
  }
}
