import CGracefulSystem
import GracefulDescriptors
import GracefulHandover
import SystemPackage

/// One side of a handover that stops at a step and waits to be killed there.
///
/// `TestProgram handover-peer successor SOCKET STEP` takes over from a demo; with `predecessor` it is taken over
/// from, with a listener on a free port that it never accepts on. It speaks the wire by hand, from the messages up, so
/// that what it checks is not checked by itself.
enum HandoverPeer {
  static func main() throws {
    let arguments = TestProgram.arguments
    if arguments.count == 3, arguments[0] == "stranger" {
      try stranger(arguments[1], lingers: arguments[2] == "lingers")
    }
    if arguments.count == 3, arguments[0] == "late" { try successor(arguments[1], until: nil, after: arguments[2]) }
    if arguments.count == 3, arguments[0] == "flood" { try flood(arguments[1]) }
    guard arguments.count == 3, let step = Step(rawValue: arguments[2]) else {
      say("usage: handover-peer successor|predecessor SOCKET \(Step.allCases.map(\.rawValue).joined(separator: "|"))")
      cgs_exit_now(64)
    }
    switch arguments[0] {
    case "successor": try successor(arguments[1], until: step)
    case "predecessor": try predecessor(arguments[1], until: step)
    default: cgs_exit_now(64)
    }
    say("over")
    cgs_exit_now(0)
  }

  /// In the order in which they come.
  enum Step: String, CaseIterable {
    case connected, greeted, welcomed, given, offered, ready, committed, acknowledged, released
  }

  static func say(_ line: String) { _ = try? FileDescriptor.standardOutput.writeAll((line + "\n").utf8) }

  private static func reached(_ step: Step, _ wanted: Step?) {
    guard step == wanted else { return }
    say("at \(step.rawValue)")
    while true { _ = cgs_poll(nil, 0, -1) }
  }

  /// - Parameter file: it says *ready* when there is such a file.
  private static func successor(_ path: String, until wanted: Step?, after file: String? = nil) throws {
    let socket = SocketCalls.live.unixSocket()
    guard SocketCalls.live.connect(socket, path) >= 0 else { throw Errno.connectionRefused }
    let wire = Wire(socket)
    reached(.connected, wanted)
    wire.send(Preamble(purpose: .handover, program: "peer").encoded)
    reached(.greeted, wanted)
    while true {
      switch wire.receive() {
      case .welcome: reached(.welcomed, wanted)
      case .descriptors: reached(.given, wanted)
      case .offered:
        reached(.offered, wanted)
        if let file {
          say("has the offer")
          while case .failure = SocketCalls.live.status(file) { _ = cgs_poll(nil, 0, 5) }
        }
        wire.send(.ready)
        reached(.ready, wanted)
      case .commit:
        reached(.committed, wanted)
        wire.send(.acknowledge)
        reached(.acknowledged, wanted)
      case .released:
        reached(.released, wanted)
        say("released")
      case let other: return say("unexpected \(other.map { "\($0)" } ?? "end")")
      }
    }
  }

  /// Is offered everything, and answers with a frame that announces 2^32-1 bytes.
  ///
  /// Then it lets go, or not.
  private static func stranger(_ path: String, lingers: Bool) throws -> Never {
    let socket = SocketCalls.live.unixSocket()
    guard SocketCalls.live.connect(socket, path) >= 0 else { throw Errno.connectionRefused }
    let wire = Wire(socket)
    wire.send(Preamble(purpose: .handover, program: "stranger").encoded)
    while let message = wire.receive(), message != .offered {}
    wire.send([0, 5, 0, 0, 255, 255, 255, 255])
    say("answer \(wire.receive().map { "\($0)" } ?? "none")")
    if !lingers { _ = cgs_close(socket) }
    while true { _ = cgs_poll(nil, 0, -1) }
  }

  /// Is offered everything, and sends frames of an unknown type until the other side has enough.
  private static func flood(_ path: String) throws -> Never {
    let socket = SocketCalls.live.unixSocket()
    guard SocketCalls.live.connect(socket, path) >= 0 else { throw Errno.connectionRefused }
    let wire = Wire(socket)
    wire.send(Preamble(purpose: .handover, program: "flood").encoded)
    for _ in 0..<100 { wire.send([0, 99, 0, 0, 0, 0, 0, 0]) }
    while let message = wire.receive() {
      if case .abort = message { break }
    }
    cgs_exit_now(0)
  }

  private static func predecessor(_ path: String, until wanted: Step) throws {
    let calls = SocketCalls.live
    let listener = try ListenAddress(host: "127.0.0.1", port: 0).listen()
    let socket = calls.unixSocket()
    guard calls.bind(socket, path) >= 0, calls.listen(socket, 8) >= 0 else { throw Errno.addressInUse }
    say("listening \(try ListenAddress(of: listener).port)")
    waitReadable(socket)
    let wire = Wire(calls.accept(socket))
    reached(.connected, wanted)
    wire.send(Preamble(purpose: .handover, program: "peer").encoded)
    reached(.greeted, wanted)
    let me = UInt32(cgs_process_id())
    wire.send(.welcome(process: me, generation: 1, descriptors: 2))
    reached(.welcomed, wanted)
    let bound = [UInt8](repeating: 0, count: 16)
    let labels = [
      DescriptorLabel(name: "graceful.handover-socket", metadata: bound), DescriptorLabel(name: "http"),
    ]
    wire.send(.descriptors(labels), [socket, listener.number])
    reached(.given, wanted)
    wire.send(.offered)
    reached(.offered, wanted)
    guard wire.receive() == .ready else { return say("unexpected") }
    reached(.ready, wanted)
    wire.send(.commit)
    reached(.committed, wanted)
    guard wire.receive() == .acknowledge else { return say("unexpected") }
    reached(.acknowledged, wanted)
    wire.send(.released)
    reached(.released, wanted)
  }
}

func waitReadable(_ descriptor: Int32) {
  var entry = cgs_poll(fd: descriptor, wanted: Int16(CGS_POLL_IN), happened: 0)
  while cgs_poll(&entry, 1, -1) <= 0 {}
}

/// Messages over a socket, one after the other; descriptors that come are kept open.
final class Wire {
  private let socket: Int32
  private var decoder = FrameDecoder()

  init(_ socket: Int32) { self.socket = socket }

  func send(_ message: Message, _ descriptors: [Int32] = []) { send(Frame(message).encoded, descriptors) }

  func send(_ bytes: [UInt8], _ descriptors: [Int32] = []) {
    _ = SocketCalls.live.send(socket, bytes[...], descriptors)
  }

  /// The next message; nil at the end.
  func receive() -> Message? {
    while true {
      if let output = try? decoder.next() {
        if case .frame(let frame) = output, case .message(let message)? = frame.message() { return message }
        continue
      }
      waitReadable(socket)
      let received = SocketCalls.live.receive(socket, 65536)
      if received.result == 0 { return nil }
      if received.result > 0 { decoder.append(received.bytes) }
    }
  }
}
