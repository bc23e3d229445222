import Graceful
import GracefulNIO
import NIOCore

// *Stopping over HTTP*, *Probes and load balancers*.

/// A server of its own, on a Unix socket.
func stopOverASocket(_ shop: Lifecycle) async {
  await shop.runAndExit(on: .signals, .http())
}

/// The same on TCP.
func stopOverTCP(_ shop: Lifecycle) async {
  let address = ListenAddress(host: "127.0.0.1", port: 8081)
  await shop.runAndExit(on: .signals, .http(on: .tcp(address), token: .file("/run/secrets/stop-token")))
}

/// In a pod.
func stopInAPod(_ shop: Lifecycle) async {
  let address = ListenAddress(host: "0.0.0.0", port: 8081)
  await shop.runAndExit(on: .signals, .http(on: .tcp(address), token: .file("/run/secrets/stop/token")))
}

/// On the program's own server.
func stopOnMyServer(_ shop: Lifecycle, _ channel: any Channel) async throws {
  let stop = StopRoutes(token: .environment("STOP_TOKEN"))
  // In the pipeline of each connection, before your own handler of requests:
  try channel.pipeline.syncOperations.addHandler(stop.handler())
  // And as a trigger, so that those who wait for the end are told:
  await shop.runAndExit(on: .signals, stop.trigger)
}

/// The answer of the program's own.
func endpointOfMine() -> StopEndpoint {
  var endpoint = StopEndpoint()
  endpoint.author = { request, answer, response in
    var response = response
    response.body = "\(answer.state), \(answer.phasesLeft) left\n"
    return response
  }
  return endpoint
}
