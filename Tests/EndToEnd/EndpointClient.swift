import TestHost
/// Asks an endpoint that stops, one request a connection.
struct EndpointClient: Sendable {
  enum Place: Sendable {
    case socket(String)
    case port(Int)
  }

  let place: Place

  func connect() async throws -> WireClient {
    switch place {
    case .socket(let path): try await .connect(socket: path)
    case .port(let port): try await .connect(port: port)
    }
  }

  /// Sends a request, and returns what came until the server's end; `nil` when no connection could be made.
  func ask(_ request: String, _ fields: String = "") async -> String? {
    guard let client = try? await connect() else { return nil }
    defer { client.close() }
    guard (try? await client.send("\(request) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n")) != nil, await client.ends() else {
      return nil
    }
    return client.text
  }

  func status(_ request: String, _ fields: String = "") async -> Int {
    await ask(request, fields).flatMap { Int($0.dropFirst(9).prefix(3)) } ?? 0
  }

  /// Whether it comes to answer so.
  func answers(_ request: String, _ status: Int, _ fields: String = "") async -> Bool {
    await eventually { await self.status(request, fields) == status }
  }
}
