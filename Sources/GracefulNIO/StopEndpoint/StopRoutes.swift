public import Graceful
public import NIOCore
import NIOHTTP1

/// A ``/Graceful/StopEndpoint`` on your own server.
///
/// ```swift
/// let stop = StopRoutes(token: .file("/run/secrets/stop-token"))
/// // in the pipeline of each connection, before your own handler of requests
/// try channel.pipeline.syncOperations.addHandler(stop.handler())
/// // and as a trigger, which answers the clients that wait for the end
/// await program.runAndExit(on: .signals, stop.trigger)
/// ```
///
/// It answers its own paths; every other request is passed on. A request that waits for the end does not hold up the
/// drain of the server that it came to: a ``DrainingServer`` does not count its connection any more and leaves it open
/// until the answer is written, so keep the event loops until the process ends; a server that is told to be quiet with
/// NIO's `ChannelShouldQuiesceEvent` gets the answer 202, draining, at that moment. Where the probes are to answer until
/// the very end, use `Trigger.http(on:token:)`: your own server closes its
/// listener when it drains.
public final class StopRoutes: Sendable {
  /// Listens for requests that come in here; give it to `runAndExit(on:)`, or to `listen` without a lifecycle.
  ///
  /// Before it listens nothing can be asked for (503), and nothing is ready.
  public let trigger: Trigger

  private let responder: StopEndpointResponder

  /// Makes one.
  /// - Parameters:
  ///   - token: What the client of a stop must send. `nil` says that each client that can send a request to your server may
  ///     stop the program: only where something else keeps strangers away.
  ///   - endpoint: Its paths, whether GET stops, and your own code.
  ///   - mostWaiting: How many clients may wait for their answer at the same time; one more is told at once how far the stop
  ///     is.
  public init(token: StopTokenSource?, endpoint: StopEndpoint = StopEndpoint(), mostWaiting: Int = 64) {
    let responder = StopEndpointResponder(endpoint, most: mostWaiting)
    self.responder = responder
    let name = "HTTP on the program's own server"
    trigger = Trigger(
      name,
      attach: { target throws(TriggerError) in
        responder.attach(to: target, token: try endpoint.secret(from: token, trigger: name))
        _ = target.lifecycle?.add(StopEndpointObserver(responder, purpose: "\(name) \(ObjectIdentifier(responder))"))
        return Listening(
          leave: { responder.detach() }, exitHooks: [ExitHook(.withReport) { responder.stop.conclude($0) }])
      })
  }

  /// The handler for one connection; it is made on the event loop of that.
  ///
  /// It stands behind what gives it `HTTPServerRequestPart`, one request at a time: behind
  /// `addDrainingHTTP1Server()`, or NIO's `configureHTTPServerPipeline()`; and before your own handler.
  public func handler() -> any ChannelHandler { StopEndpointHandler(responder: responder) }
}
