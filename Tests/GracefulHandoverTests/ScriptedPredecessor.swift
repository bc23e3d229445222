import GracefulDescriptors
import Synchronization
import SystemPackage

@testable import GracefulHandover

/// Plays a predecessor of another make: it offers what it is told to, and commits when it is asked to.
final class ScriptedPredecessor: Sendable {
  struct Offer: Sendable {
    /// What it passes as the handover socket; its own when there is nothing else.
    var socket: SharedDescriptor?
    var others: [(name: String, descriptor: SharedDescriptor)] = []
    var generation: UInt32 = 1
    /// Descriptors that come with the first byte of all.
    var before: [SharedDescriptor] = []
  }

  private let loop: PollLoop
  let socket: SharedDescriptor
  private let path: String
  private let offer: Offer
  private let accepted = Mutex<FrameConnection?>(nil)
  private let asked = Mutex<SharedDescriptor?>(nil)

  init(at path: String, _ offer: Offer) throws {
    self.path = path
    self.offer = offer
    loop = try PollLoop(name: "scripted")
    let calls = SocketCalls.live
    socket = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: calls.unixSocket())))
    guard calls.bind(socket.number, path) >= 0, calls.listen(socket.number, 64) >= 0 else { throw Unexpected() }
    _ = loop.watchOnce(socket.number, .readable) { [weak self] _ in self?.accept() }
  }

  func stop() { loop.stop() }

  private func accept() {
    let number = SocketCalls.live.accept(socket.number)
    guard number >= 0 else { return }
    let descriptor = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
    let peer = Peer(process: ThisProcess.number, user: ThisProcess.user)
    let connection = FrameConnection(descriptor, peer: peer, loop: loop, calls: .live) { [weak self] event in
      guard case .frame(let frame, _) = event, case .message(let message)? = frame.message() else { return }
      if message == .ready { self?.say(.commit) }
      if message == .acknowledge { self?.say(.released) }
    }
    accepted.withLock { $0 = connection }
    connection.start()
    if !offer.before.isEmpty { connection.send(Array(Preamble.magic.prefix(1)), offer.before) }
    let bytes = Preamble(purpose: .handover, program: "scripted").encoded
    connection.send(offer.before.isEmpty ? bytes : Array(bytes.dropFirst()))
    let bound = (try? SocketCalls.live.status(path).get()).map { BoundPath($0) }
    let labels =
      [DescriptorLabel(name: Handover.socketName, metadata: bound?.metadata ?? [])]
      + offer.others.map { DescriptorLabel(name: $0.name) }
    say(
      .welcome(
        process: UInt32(bitPattern: ThisProcess.number), generation: offer.generation,
        descriptors: UInt32(labels.count)))
    connection.send(.descriptors(labels), [offer.socket ?? socket] + offer.others.map(\.descriptor))
    say(.offered)
  }

  private func say(_ message: Message) { accepted.withLock { $0 }?.send(message) }
}
