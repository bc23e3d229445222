import Exploration
import GracefulShutdown
import GracefulTriggers
import TestHost
import Testing

@Suite("The stop endpoint", .valuesOnly)
struct StopEndpointTests {
  private static let methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "", "X Y"]
  private static let paths = [
    "/shutdown", "/livez", "/readyz", "/startupz", "/status", "/", "/shutdown/", "/Shutdown", "//shutdown", "*", "",
    "/%73hutdown", "/shutdownx", "http://shop/shutdown", "http://shop",
  ]

  /// What the request brings.
  enum Bringing: CaseIterable {
    case nothing, bearer, own, wrong, wrongBeside, basic, inQuery

    var headers: [StopEndpoint.Header] {
      switch self {
      case .nothing, .inQuery: []
      case .bearer: [.init("authorization", "bearer  s3cret ")]
      case .own: [.init("X-Stop-Token", "s3cret")]
      case .wrong: [.init("X-Stop-Token", "s3creT")]
      case .wrongBeside: [.init("X-Stop-Token", "s3cret"), .init("X-Stop-Token", "s3cre")]
      case .basic: [.init("Authorization", "Basic s3cret")]
      }
    }

    var isRight: Bool { self == .bearer || self == .own }
  }

  /// Says again, by other means, what the documentation says.
  private static func expected(
    _ method: String, _ path: String, _ bringing: Bringing, _ world: EndpointWorld, token: Bool, get: Bool
  ) -> (status: Int, asks: Bool)? {
    let path = path == "http://shop/shutdown" ? "/shutdown" : path
    guard ["/shutdown", "/livez", "/readyz", "/startupz", "/status"].contains(path) else { return nil }
    let isStop = path == "/shutdown"
    guard isStop ? method == "POST" || get && method == "GET" : method == "GET" || method == "HEAD" else {
      return (405, false)
    }
    switch path {
    case "/livez": return (200, false)
    case "/readyz": return (world == .running || world == .alone ? 200 : 503, false)
    case "/startupz": return (world == .declared || world == .starting ? 503 : 200, false)
    case "/status":
      if token, !bringing.isRight { return (403, false) }
      return (world == .alone || world == .aloneAsked ? 404 : 200, false)
    default:
      if token ? !bringing.isRight : method == "GET" { return (403, false) }
      if bringing == .inQuery { return (400, false) }
      return world == .finished ? (200, false) : (202, true)
    }
  }

  @Test("answers every method on every path with every token in every state as it is documented")
  func table() throws {
    let token = try #require(StopToken("s3cret"))
    var counted = 0
    for world in EndpointWorld.allCases {
      let view = world.view
      for path in Self.paths {
        for bringing in Bringing.allCases {
          for (method, options) in Self.methods.flatMap({ method in (0..<4).map { (method, $0) } }) {
            var endpoint = StopEndpoint()
            endpoint.stopsOnGet = options & 1 == 1
            let demanded = options & 2 == 2 ? token : nil
            let target = bringing == .inQuery ? "\(path)?token=s3cret" : path
            let request = StopEndpoint.Request(method, target, headers: bringing.headers)
            let decision = endpoint.answer(to: request, seeing: view, token: demanded)
            let wanted = Self.expected(
              method, path, bringing, world, token: demanded != nil, get: endpoint.stopsOnGet)
            let seen = decision.map { ($0.response?.status ?? 0, $0.stopRequest != nil) }
            let isRight = seen?.0 == wanted?.status && seen?.1 == wanted?.asks
            #expect(isRight, "\(method) \(target) \(bringing) \(world) \(options): \(String(describing: seen))")
            #expect((decision != nil) == endpoint.answers(target))
            #expect(decision?.response?.sendsBody != (method == "HEAD") || decision == nil)
            if wanted?.status == 405 {
              let allowed =
                path.hasSuffix("shutdown") ? (endpoint.stopsOnGet ? "GET, POST" : "POST") : "GET, HEAD"
              #expect(decision?.response?.headers.first { $0.name == "Allow" }?.value == allowed)
            }
            counted += 1
          }
        }
      }
    }
    #expect(counted == 8 * 15 * 7 * 11 * 4)
  }

  @Test(
    "reads how long somebody waits",
    arguments: [
      ("30s", 30_000), ("30", 30_000), ("1.5s", 1_500), ("500ms", 500), ("2m", 120_000), ("60m", 3_600_000),
      ("0.25", 250), ("1.005s", 1_005),
    ])
  func wait(text: String, milliseconds: Int) {
    let request = StopEndpoint.Request("POST", "/shutdown?wait=\(text)")
    let decision = StopEndpoint().answer(to: request, seeing: EndpointWorld.running.view, token: nil)
    #expect(decision?.next == .wait(upTo: .milliseconds(milliseconds)))
    #expect(decision?.stopRequest != nil)
  }

  @Test(
    "refuses a query that it cannot read, and asks for nothing then",
    arguments: [
      "wait=", "wait", "wait=-1", "wait=abc", "wait=1e9", "wait=1h", "wait=61m", "wait=99999999999999999999s",
      "wait=1.s", "wait=.5s", "wait=1.2345s", "wait=+1", "wait=%", "wait=%zz", "wait=%ff", "wait=1s&wait=1s", "wiat=1s",
      "why=\(String(repeating: "x", count: 201))", "=", "wait=1 s", "wait=٣s",
    ])
  func badQuery(query: String) {
    let request = StopEndpoint.Request("POST", "/shutdown?\(query)")
    let decision = StopEndpoint().answer(to: request, seeing: EndpointWorld.running.view, token: nil)
    #expect(decision?.response?.status == 400)
    #expect(decision?.stopRequest == nil)
  }

  @Test("answers at once when nobody waits for longer than nothing")
  func noWait() {
    for query in ["", "?", "?wait=0", "?wait=0s&why=a"] {
      let request = StopEndpoint.Request("POST", "/shutdown\(query)")
      let decision = StopEndpoint().answer(to: request, seeing: EndpointWorld.running.view, token: nil)
      #expect(decision?.response?.status == 202)
    }
  }

  @Test("says in the stop request who asked and why, on one line")
  func why() {
    let request = StopEndpoint.Request("POST", "/shutdown?why=new+version%0A%1b%5bm", peer: "127.0.0.1:4711")
    let decision = StopEndpoint().answer(to: request, seeing: EndpointWorld.running.view, token: nil)
    #expect(decision?.stopRequest?.description == "HTTP: new version  [m, from 127.0.0.1:4711")
  }

  @Test(
    "lets nothing into the reason that a terminal obeys",
    arguments: [
      "%C2%9B31m", "%7F31m", "%E2%80%AE31m", "%E2%80%A831m", "%EF%BB%BF31m", "%C2%8531m", "%F3%A0%80%A131m", "%0D31m",
    ])
  func controls(why: String) {
    let request = StopEndpoint.Request("POST", "/shutdown?why=a\(why)", peer: "b")
    let decision = StopEndpoint().answer(to: request, seeing: EndpointWorld.running.view, token: nil)
    #expect(decision?.stopRequest?.why == "a 31m, from b")
  }

  @Test(
    "streams only to whoever accepts events",
    arguments: [
      ("text/event-stream", true), ("application/json, Text/Event-Stream;q=0.5", true), ("*/*", false), ("", false),
      ("text/event-stream;q=0", false), ("text/event-stream; q=0.0", false), ("text/*", false),
    ])
  func events(accept: String, streams: Bool) {
    let request = StopEndpoint.Request("POST", "/shutdown?wait=5s", headers: [.init("ACCEPT", accept)])
    let decision = StopEndpoint().answer(to: request, seeing: EndpointWorld.stopping.view, token: nil)
    #expect(decision?.next == (streams ? .stream(upTo: .seconds(5)) : .wait(upTo: .seconds(5))))
  }

  @Test("says that it is accepted while it runs, what holds it up while it drains, and the exit code in the end")
  func bodies() {
    func body(_ world: EndpointWorld) -> String? {
      StopEndpoint().answer(to: .init("POST", "/shutdown"), seeing: world.view, token: nil)?.response?.body
    }
    #expect(
      body(.running) == "{\"state\":\"accepted\",\"phasesLeft\":0,\"holding\":[],\"left\":null,\"exitCode\":null}\n")
    #expect(body(.stopping)?.hasPrefix("{\"state\":\"draining\"") == true)
    #expect(body(.finished)?.hasSuffix("\"exitCode\":124}\n") == true)
    #expect(body(.alone)?.hasPrefix("{\"state\":\"accepted\"") == true)
  }

  @Test("lets the program's own code write the answer")
  func author() {
    var endpoint = StopEndpoint()
    endpoint.author = { request, answer, _ in .init(status: 299, body: "\(request.method) \(answer.state)") }
    let decision = endpoint.answer(to: .init("POST", "/shutdown"), seeing: EndpointWorld.running.view, token: nil)
    #expect(decision?.response?.body == "POST accepted")
    let probe = endpoint.answer(to: .init("GET", "/livez"), seeing: EndpointWorld.running.view, token: nil)
    #expect(probe?.response?.status == 200)
  }

  @Test("answers on other paths when it is told so, and leaves those that it is not to have")
  func otherPaths() {
    var endpoint = StopEndpoint()
    endpoint.paths.shutdown = "/admin/stop"
    endpoint.paths.status = nil
    #expect(endpoint.answers("/admin/stop?wait=1s"))
    #expect(!endpoint.answers("/shutdown"))
    #expect(!endpoint.answers("/status"))
  }

  @Test("names what is wrong with it as it is written down")
  func mistakes() {
    var endpoint = StopEndpoint()
    #expect(endpoint.mistake(token: nil) == nil)
    endpoint.stopsOnGet = true
    #expect(endpoint.mistake(token: nil)?.contains("token") == true)
    #expect(endpoint.mistake(token: .environment("X")) == nil)
    for path in ["", "shutdown", "/shutdown?", "*", "http://shop/x"] {
      endpoint.paths.shutdown = path
      #expect(endpoint.mistake(token: .environment("X"))?.contains("\"\(path)\"") == true, "\(path)")
    }
    endpoint.paths.shutdown = "/livez"
    #expect(endpoint.mistake(token: .environment("X"))?.contains("/livez") == true)
  }

  @Test("escapes in JSON whatever a name may have in it")
  func names() {
    let answer = StopAnswer(state: .draining, phasesLeft: 1, left: .milliseconds(-1_050))
    #expect(answer.json(.late).contains("\"left\":-1.050"))
    var snapshot = Lifecycle("shop").snapshot()
    let shop = Lifecycle("shop")
    shop.phase("a\"\\\n\u{7}é😀") { _ in }
    snapshot = shop.snapshot()
    snapshot.state = .stopping
    snapshot.phases[0].state = .draining
    snapshot.phases[0].sessionsLive = 2
    let json = StopAnswer(snapshot).json(.late)
    #expect(json.contains("\"phase\":\"a\\\"\\\\\\u000a\\u0007\\u00e9\\ud83d\\ude00\",\"sessions\":2"))
    #expect(json.contains("(2 sessions) holds it up"))
  }

  @Test("says accepted only to whoever has asked: before that it runs")
  func nobodyAsked() {
    var snapshot = Lifecycle("shop").snapshot()
    for state in [LifecycleSnapshot.State.declared, .starting, .running] {
      snapshot.state = state
      #expect(StopAnswer(snapshot).state == .running)
      #expect(StopAnswer(snapshot).requested.state == .accepted)
    }
    // A program that fails goes down without a request.
    snapshot.state = .stopping
    #expect(StopAnswer(snapshot).state == .draining && StopAnswer(snapshot).requested.state == .draining)
    snapshot.state = .running
    snapshot.request = StopRequest(source: .http)
    #expect(StopAnswer(snapshot).state == .accepted)
  }

  @Test("neither traps nor stops anything, whatever it is sent without the token")
  func fuzz() throws {
    let token = try #require(StopToken("0123456789abcdef"))
    var random = SplitMix64(seed: 5)
    let pieces = [
      "/shutdown", "/status", "?", "&", "=", "wait", "%", "%2", "%00", "30s", "http://", "HTTPS://", "/", "*", "é",
      "\u{0}",
      "\r\n", "Bearer ", "0123456789abcde", "text/event-stream", ";q=", ",", " ", "\t", "99999999999999999999", ".",
      "ms",
      String(repeating: "a", count: 5000),
    ]
    func text() -> String {
      (0..<Int.random(in: 0...6, using: &random)).map { _ in
        if Bool.random(using: &random) { return pieces.randomElement(using: &random) ?? "" }
        let bytes = (0..<8).map { _ in UInt8.random(in: 0...255, using: &random) }
        return String(decoding: bytes, as: UTF8.self)
      }.joined()
    }
    var endpoint = StopEndpoint()
    endpoint.stopsOnGet = true
    let names = ["Authorization", "X-Stop-Token", "Accept", "Host"]
    let views = EndpointWorld.allCases.map(\.view)
    var answered = 0
    for _ in 0..<20_000 {
      let method = ["GET", "POST", "HEAD", text()].randomElement(using: &random) ?? ""
      let target = (Bool.random(using: &random) ? "/shutdown" : "") + text()
      let headers = (0..<3).map { _ in
        StopEndpoint.Header(names.randomElement(using: &random) ?? "", text())
      }
      let request = StopEndpoint.Request(method, target, headers: headers, peer: text())
      let view = views[Int.random(in: views.indices, using: &random)]
      let decision = endpoint.answer(to: request, seeing: view, token: token)
      #expect(decision?.stopRequest == nil)
      let other = endpoint.answer(to: request, seeing: view, token: nil)
      #expect((other == nil) == (decision == nil))
      #expect((decision?.response?.body.utf8.count ?? 0) < 1000)
      if decision != nil { answered += 1 }
    }
    #expect(answered > 1000)
  }
}
