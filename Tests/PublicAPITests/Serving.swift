import Graceful
import GracefulNIO
import Logging
import NIOCore
import NIOPosix

func serving(_ listener: consuming OwnedDescriptor, _ phase: Phase, _ handover: Handover) async throws {
  var configuration = DrainingHTTP1Configuration()
  configuration.linger = .seconds(1)
  configuration.briefLinger = .milliseconds(50)
  let server = try await DrainingServer.adopt(
    listener, on: .singletonMultiThreadedEventLoopGroup, logger: Logger(label: "shop")
  ) { [configuration] channel in
    channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addDrainingHTTP1Server(configuration: configuration)
    }
  }
  let outcome: DrainOutcome = try await server.serve(in: phase, after: handover) { print("serving") }
  print(outcome.cut)
}

/// A protocol of a program's own.
final class Quitter: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event as? DrainSignal == .closeIdle { context.close(promise: nil) }
    context.fireUserInboundEventTriggered(event)
  }
}

func stoppingOverHTTP() -> [Trigger] {
  var limits = StopServerLimits()
  limits.requestTime = .seconds(2)
  limits.linger = .milliseconds(500)
  let address: StopServerAddress = .socket("/run/shop/stop")
  let token: StopTokenSource = .file("/run/secrets/stop")
  let routes = StopRoutes(token: token)
  print(routes.handler())
  return [.http(on: address, token: token, limits: limits), routes.trigger]
}
