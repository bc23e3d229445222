import TestHost
import CGracefulSystem
import Foundation
import GracefulDescriptors
import GracefulProcesses
import GracefulTesting
import Synchronization
import SystemPackage
import Testing

@testable import GracefulHandover

/// Generations that take over from each other within one process, in a private directory.
///
/// Both ends being one process, no process may be killed here: the seam records which would have been.
final class Stage: Sendable {
  let directory: String
  var socket: String { directory + "/s" }
  let ledger = DescriptorLedger()
  private let log = Mutex<[(who: String, event: HandoverEvent)]>([])
  private let killed = Mutex(0)

  /// How often SIGKILL would have been sent.
  var kills: Int { killed.withLock { $0 } }

  init() throws {
    directory = FileManager.default.temporaryDirectory.path + "/graceful-\(UInt32.random(in: .min ... .max))"
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  func events(of who: String) -> [HandoverEvent] {
    log.withLock { log in log.filter { $0.who == who }.map(\.event) }
  }

  /// Waits for an event.
  func wait(
    for who: String, sourceLocation: SourceLocation = #_sourceLocation, _ wanted: (HandoverEvent) -> Bool
  ) async throws {
    try await poll(sourceLocation: sourceLocation) { events(of: who).contains(where: wanted) }
  }

  func configuration(
    _ who: String, _ change: (inout HandoverLimits) -> Void = { _ in }, calls: SocketCalls = .live
  ) -> Handover.Configuration {
    var configuration = Handover.Configuration(socket: socket, program: who) { [weak self] event in
      self?.log.withLock { $0.append((who, event)) }
    }
    // Long where nothing is to run out: a noisy machine must not decide.
    configuration.limits.letGo = .seconds(60)
    change(&configuration.limits)
    configuration.successor = Command("/nonexistent/graceful-test", environment: [:])
    configuration.calls = ledger.wrapping(calls)
    configuration.calls.signalProcess = { [weak self] _, _ in
      self?.killed.withLock { $0 += 1 }
      return 0
    }
    return configuration
  }

  func join(
    _ who: String, _ change: (inout HandoverLimits) -> Void = { _ in }, calls: SocketCalls = .live
  ) async throws -> Generation {
    Generation(try await Handover.join(configuration(who, change, calls: calls)))
  }

  /// Joins, takes the listener, is ready.
  func serve(_ who: String) async throws -> Generation {
    let generation = try await join(who)
    try generation.listen()
    try await generation.ready()
    return generation
  }

  /// A bare client of the handover socket.
  func client() throws -> SharedDescriptor {
    let number = SocketCalls.live.unixSocket()
    guard number >= 0 else { throw Errno(rawValue: -number) }
    let socket = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
    let connected = SocketCalls.live.connect(number, self.socket)
    guard connected >= 0 else { throw Errno(rawValue: -connected) }
    return socket
  }
}

/// One generation, with an acceptor that only says whether it would accept.
final class Generation: Sendable {
  let handover: Handover
  private let held = Mutex<SharedDescriptor?>(nil)
  private let accepting = Mutex(false)

  var accepts: Bool { accepting.withLock { $0 } }
  var inode: UInt64? { held.withLock { $0 }.flatMap { Pipes.inode($0) } }
  var port: UInt16? { held.withLock { $0 }.flatMap { try? ListenAddress(of: $0.owned).port } }
  var listener: SharedDescriptor? { held.withLock { $0 } }

  init(_ handover: Handover) { self.handover = handover }

  func listen(_ name: String = "http", on address: String = "127.0.0.1:0") throws {
    let address = try #require(ListenAddress(address))
    let listener = SharedDescriptor(try handover.listener(name, on: address))
    held.withLock { $0 = listener }
  }

  /// Closes its own listener, as a program does that has drained.
  func closeListener() { held.withLock { $0 = nil } }

  func ready() async throws(HandoverError) {
    let generation = self
    try await handover.ready(
      Acceptor(
        accept: { [weak generation] in generation?.accepting.withLock { $0 = true } },
        pause: { [weak generation] done in
          generation?.accepting.withLock { $0 = false }
          done()
        }))
  }
}

extension FileManager {
  func mode(of path: String) -> Int? {
    (try? attributesOfItem(atPath: path))?[.posixPermissions] as? Int
  }
}

/// Connects to a port of this machine.
///
/// - Returns: the connected socket, for as long as it is held.
func connectTCP(port: UInt16) throws -> SharedDescriptor {
  let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard number >= 0 else { throw Errno(rawValue: errno) }
  let owned = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  let result = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  guard result == 0 else { throw Errno(rawValue: errno) }
  return owned
}
