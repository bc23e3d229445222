internal import NIOCore

/// Looks whether a server answers that was just started, and keeps what it saw, for the sentence that says why not.
struct Readiness {
  /// As many redirects as are followed in one row.
  private static let mostRedirects = 5

  private let limit: Duration
  private let followsRedirects: Bool
  private var redirects = 0
  private var last: Probe.Sight?

  init(_ configuration: RehearsalConfiguration) {
    limit = configuration.readyLimit
    followsRedirects = configuration.followsRedirects
  }

  /// Looks once, at every address of the host; the address that answers well is the one for the load.
  ///
  /// - Parameter settings: Where it looks. A redirect that is followed changes that.
  /// - Returns: Whether it is answered with 2xx.
  mutating func look(_ settings: inout LoadSettings) async -> Bool {
    let sight = await Probe(settings).look(onAnyAddress: true)
    last = sight
    guard case .answer(let answer, let address, _) = sight else { return false }
    if answer.isGood {
      if let address { settings.address = address }
      return true
    }
    if followsRedirects, redirects < Self.mostRedirects, let target = Self.target(of: answer, at: settings.url),
      target != settings.url, let address = try? SocketAddress.makeAddressResolvingHost(target.host, port: target.port)
    {
      redirects += 1
      settings.url = target
      settings.address = address
    }
    return false
  }

  private static func target(of answer: Probe.Answer, at url: TargetURL) -> TargetURL? {
    guard (300..<400).contains(answer.status), let location = answer.location else { return nil }
    return url.redirected(to: location)
  }

  var neverSaid: NotDone {
    NotDone("the server was never ready: within \(limit) it printed no 'serving' line.")
  }

  /// With what was answered last.
  func neverAnswered(_ url: TargetURL) -> NotDone {
    NotDone("the server was never ready: within \(limit) \(url) did not answer with 2xx; \(evidence)")
  }

  private var evidence: String {
    switch last {
    case nil: "it was not asked."
    case .silence(let words): "the last time: \(words)."
    case .answer(let answer, let address, _):
      "the last time it answered \(Self.words(answer, address, followsRedirects))."
    }
  }

  private static func words(_ answer: Probe.Answer, _ address: SocketAddress?, _ follows: Bool) -> String {
    var words = "\(answer.status)"
    if let ip = address?.ipAddress { words += " from \(ip)" }
    if let location = answer.location { words += ", which leads to \(location)" }
    if answer.location != nil, !follows { words += " (--follow-redirects follows it)" }
    return words
  }
}
