import CGracefulSystem
import Graceful
import GracefulNIO
import Synchronization

/// A program that is stopped over HTTP, held at its start until SIGUSR1 and at its end until SIGUSR2.
///
///     TestProgram http-stopped [socket=PATH] [tcp=HOST:PORT] [token=FILE] [get] [grace=MILLISECONDS] [duck=MILLISECONDS]
///       [control=PATH] [nested] [pool] [free]
///
/// `get` lets `GET /shutdown` stop it; `duck` is a lame-duck time that is never over early; `control` is a control socket;
/// `nested` puts its phase into a lifecycle that a phase `shop` holds; `pool` blocks every thread of the pool once it is
/// ready, and for ever; `free` holds it neither at its start nor at its end.
enum HTTPStoppedProgram {
  private static let gates = Mutex<[Int32: (isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])]>([:])
  /// Until the process ends.
  private static let signals = Mutex<SignalSource?>(nil)

  static func main() async throws {
    var options: [Substring: String] = [:]
    for argument in TestProgram.arguments {
      let parts = argument.split(separator: "=", maxSplits: 1)
      if let name = parts.first { options[name] = parts.count > 1 ? String(parts[1]) : "" }
    }
    let grace = milliseconds(options["grace"]) ?? .seconds(30)
    let duck = milliseconds(options["duck"]).map { LameDuck.atMost($0, minimum: $0, quiet: $0) }
    let program = Lifecycle("stoppable", grace: grace, lameDuck: duck ?? .automatic)
    let shop = options["nested"].map { _ in Lifecycle("shop", grace: grace) }
    let (isFree, blocks) = (options["free"] != nil, options["pool"] != nil)
    let source = try SignalSource([.user1, .user2]) { open($0) }
    signals.withLock { $0 = source }
    (shop ?? program).phase("web") { phase in
      if !isFree { await passed(.user1) }
      phase.ready()
      if blocks { return blockPool() }
      await phase.turnToStop()
      if !isFree { await passed(.user2) }
    }
    if let shop { program.phase("shop", lifecycle: shop) }
    var endpoint = StopEndpoint()
    endpoint.stopsOnGet = options["get"] != nil
    let token = options["token"].map { StopTokenSource.file($0) }
    let address = options["tcp"].flatMap { ListenAddress($0) }.map { StopServerAddress.tcp($0) }
    let http = Trigger.http(
      on: address ?? options["socket"].map { .socket($0) } ?? .ownSocket, token: token, endpoint: endpoint)
    let control = options["control"].map { Trigger.control(socket: String($0)) }
    await program.runAndExit(listeningTo: [.signals, http] + [control].compactMap { $0 })
  }

  private static func milliseconds(_ text: String?) -> Duration? { text.flatMap { Int($0) }.map { .milliseconds($0) } }

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
