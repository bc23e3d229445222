import CGracefulSystem
import Graceful
import GracefulDescriptors
import GracefulHandover
import GracefulTriggers
import Synchronization
import SystemPackage
import Testing

/// A client of a control socket that says whatever a test wants it to say.
final class BareControlClient: Sendable {
  let socket: SharedDescriptor
  /// What has come of a frame stays, from one look to the next.
  private let decoder = Mutex(FrameDecoder())

  struct NotConnected: Error { var errno: Errno }

  init(_ path: String) throws {
    let number = SocketCalls.live.unixSocket()
    socket = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
    let connected = SocketCalls.live.connect(number, path)
    guard connected >= 0 else { throw NotConnected(errno: Errno(rawValue: -connected)) }
  }

  static let greeting = Preamble(purpose: .control, program: "test").encoded

  /// - Returns: how much of it there was room for.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Int { SocketCalls.live.send(socket.number, bytes[...], []) }

  /// Whether something has been said to it.
  var hasHeard: Bool {
    var poll = cgs_poll(fd: socket.number, wanted: Int16(CGS_POLL_IN), happened: 0)
    return cgs_poll(&poll, 1, 1) > 0
  }

  func ask(_ request: ControlRequest) { send(Self.greeting + Frame(request).encoded) }

  /// All that is answered, until it is closed, or enough has come, or nothing comes for so long.
  func answers(within limit: Duration = .seconds(20), until isEnough: ([ControlAnswer]) -> Bool = { _ in false })
    throws -> (answers: [ControlAnswer], refusals: [Message.Refusal], ended: Bool)
  {
    var answers: [ControlAnswer] = []
    var refusals: [Message.Refusal] = []
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
      if isEnough(answers) { return (answers, refusals, false) }
      var poll = cgs_poll(fd: socket.number, wanted: Int16(CGS_POLL_IN), happened: 0)
      guard cgs_poll(&poll, 1, 50) > 0 else { continue }
      let received = SocketCalls.live.receive(socket.number, 65_536)
      decoder.withLock { $0.append(received.bytes) }
      while let output = try decoder.withLock({ try $0.next() }) {
        guard case .frame(let frame) = output else { continue }
        if case .message(.refused(let refusal, _))? = frame.message() {
          refusals.append(refusal)
        } else {
          answers.append(try ControlAnswer(type: frame.type, payload: frame.payload))
        }
      }
      if received.result <= 0 { return (answers, refusals, true) }
    }
    return (answers, refusals, false)
  }

  /// One request on a connection of its own.
  static func ask(_ request: ControlRequest, at path: String, within limit: Duration = .seconds(20)) throws
    -> [ControlAnswer]
  {
    let client = try BareControlClient(path)
    client.ask(request)
    return try client.answers(within: limit) { $0.last?.isFinal == true }.answers
  }
}

extension ControlAnswer {
  var isFinal: Bool {
    switch self {
    case .serving, .part, .accepted: false
    case .refused, .whole, .stopped, .restarted, .failed: true
    }
  }

  var refusal: Refusal? {
    if case .refused(let refusal, _) = self { refusal } else { nil }
  }
}

extension [ControlAnswer] {
  /// The documents in it.
  var documents: [String] {
    var documents: [String] = []
    var bytes: [UInt8] = []
    for answer in self {
      switch answer {
      case .part(let part): bytes += part
      case .whole:
        documents.append(String(decoding: bytes, as: UTF8.self))
        bytes = []
      case .serving, .refused, .accepted, .stopped, .restarted, .failed: break
      }
    }
    return documents
  }
}
