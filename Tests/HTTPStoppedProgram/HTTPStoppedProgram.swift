import CGracefulSystem
import Graceful
import GracefulNIO
import Synchronization

/// A program that is stopped over HTTP, held at its start until SIGUSR1 and at its end until SIGUSR2.
///
///     HTTPStoppedProgram [socket=PATH] [tcp=HOST:PORT] [token=FILE] [get] [grace=MILLISECONDS] [pool] [free]
///
/// `get` lets `GET /shutdown` stop it; `pool` blocks every thread of the pool once it is ready, and for ever; `free` holds
/// it neither at its start nor at its end.
@main
struct HTTPStoppedProgram {
  private static let gates = Mutex<[Int32: (isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])]>([:])
  /// Until the process ends.
  private static let signals = Mutex<SignalSource?>(nil)

  static func main() async throws {
    var options: [Substring: String] = [:]
    for argument in CommandLine.arguments.dropFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1)
      if let name = parts.first { options[name] = parts.count > 1 ? String(parts[1]) : "" }
    }
    let program = Lifecycle("stoppable", grace: .milliseconds(options["grace"].flatMap { Int($0) } ?? 30_000))
    let (isFree, blocks) = (options["free"] != nil, options["pool"] != nil)
    let source = try SignalSource([.user1, .user2]) { open($0) }
    signals.withLock { $0 = source }
    program.phase("web") { phase in
      if !isFree { await passed(.user1) }
      phase.ready()
      if blocks { return blockPool() }
      await phase.turnToStop()
      if !isFree { await passed(.user2) }
    }
    var endpoint = StopEndpoint()
    endpoint.stopsOnGet = options["get"] != nil
    let token = options["token"].map { StopTokenSource.file($0) }
    let address = options["tcp"].flatMap { ListenAddress($0) }.map { StopServerAddress.tcp($0) }
    await program.runAndExit(
      on: .signals,
      .http(on: address ?? options["socket"].map { .socket($0) } ?? .ownSocket, token: token, endpoint: endpoint))
  }

  private static func open(_ signal: Signal) {
    let waiting = gates.withLock { gates in
      defer { gates[signal.rawValue] = (true, []) }
      return gates[signal.rawValue]?.waiting ?? []
    }
    for one in waiting { one.resume() }
  }

  private static func passed(_ signal: Signal) async {
    await withCheckedContinuation { continuation in
      let isOpen = gates.withLock { gates in
        var gate = gates[signal.rawValue] ?? (false, [])
        if !gate.isOpen { gate.waiting.append(continuation) }
        gates[signal.rawValue] = gate
        return gate.isOpen
      }
      if isOpen { continuation.resume() }
    }
  }

  private static func blockPool() {
    for _ in 0..<256 { Task.detached { while true { _ = cgs_poll(nil, 0, 1000) } } }
    var isBlocked = true
    while isBlocked { isBlocked = cgs_poll(nil, 0, 1000) <= 0 }
  }
}
