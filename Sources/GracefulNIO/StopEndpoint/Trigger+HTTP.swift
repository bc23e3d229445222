public import Graceful
import GracefulDescriptors
import NIOCore

extension Trigger {
  /// A small HTTP server of its own, that stops the program and answers probes: see ``/Graceful/StopEndpoint`` for what is
  /// asked and answered.
  ///
  /// It listens on a thread of its own: it answers although every thread of Swift's cooperative pool and every event
  /// loop of the program is blocked, and it answers until the process ends, also while everything drains. A client that waits
  /// for the end (`?wait=30s`) is told before the exit. A connection carries one request.
  /// - Parameters:
  ///   - address: Where it listens: on a Unix socket that only this user can reach, unless said otherwise. On TCP a token
  ///     is demanded; without one, the configuration is wrong.
  ///   - token: Where the token comes from. `nil`: a client that can reach the Unix socket needs none.
  ///   - endpoint: Its paths, whether GET stops, and your own code.
  ///   - limits: What others may use of it.
  ///   - waitsForAddress: What happens when another process listens there. False: the configuration is wrong. True, for
  ///     programs that are replaced by a handover (``/Graceful/Lifecycle/withHandover(_:for:restartOn:_:)``): the listener
  ///     passes on with it, so that no client is refused, and a predecessor answers until its successor has taken over. From
  ///     a predecessor with another address, or none, nothing passes on; then it listens as soon as it can.
  public static func http(
    on address: StopServerAddress = .ownSocket, token: StopTokenSource? = nil,
    endpoint: StopEndpoint = StopEndpoint(), limits: StopServerLimits = StopServerLimits(),
    waitsForAddress: Bool = false
  ) -> Trigger {
    let name = "HTTP on \(address)"
    return Trigger(
      name,
      attach: { target throws(TriggerError) in
        let server = try StopServer.start(
          on: address, token: token, endpoint: endpoint, limits: limits, waitsForAddress: waitsForAddress, for: target,
          name: name)
        return server.listening
      })
  }
}

extension StopServer {
  /// A server that listens.
  struct Started: Sendable {
    var server: StopServer
    var listening: Listening
  }

  static func start(
    on address: StopServerAddress, token: StopTokenSource?, endpoint: StopEndpoint, limits: StopServerLimits,
    waitsForAddress: Bool, for target: StopTarget, name: String
  ) throws(TriggerError) -> Started {
    if address.isTCP, token == nil {
      throw TriggerError(
        trigger: name,
        reason: "a TCP address demands a token, on loopback too; name a file or an environment variable that has one")
    }
    let secret = try endpoint.secret(from: token, trigger: name)
    // Bound before anything is promised: what cannot listen is a mistake that is reported before the start.
    var socket: StopSocket?
    do {
      socket = try address.listen()
    } catch {
      guard error.isTaken, waitsForAddress else { throw TriggerError(trigger: name, reason: error.reason) }
    }
    do throws(SystemError) {
      try Self.lookForRoom()
    } catch {
      socket?.path?.remove()
      throw TriggerError(trigger: name, reason: "\(error)")
    }
    let responder = StopEndpointResponder(endpoint, most: limits.waiting)
    let server = StopServer(responder: responder, limits: limits)
    responder.attach(to: target, token: secret)
    _ = target.lifecycle?.add(
      StopEndpointObserver(responder, purpose: name, whenSucceeded: { if waitsForAddress { server.closeListener() } }))
    var forgetCompanion: @Sendable () -> Void = {}
    if waitsForAddress, let lifecycle = target.lifecycle {
      forgetCompanion = HandoverCompanions.add(PassingStopSocket(server: server, address: address), to: lifecycle)
      lifecycle.whole.succession.whenPassedOn { server.passOn() }
    }
    if let socket { server.serve(socket) } else { server.serve(address, every: .milliseconds(20)) }
    let listening = Listening(
      leave: { [forgetCompanion] in
        forgetCompanion()
        responder.detach()
        server.leave()
      },
      exitHooks: [
        ExitHook(.withReport) { report in
          responder.stop.conclude(report)
          if target.lifecycle?.whole.succession.hasPassedOn == true { try? server.lastAnswers(within: 2000).wait() }
        },
        ExitHook(.last) { _ in server.removePath() },
      ])
    return Started(server: server, listening: listening)
  }
}

extension StopEndpointResponder {
  /// Makes a responder that writes snapshots and log lines as a lifecycle does.
  convenience init(_ endpoint: StopEndpoint, most: Int) {
    self.init(endpoint, most: most, json: { $0.json() }, performLogging: { LiveEnvironment.shared.performLogging($0) })
  }
}
