internal import CGracefulSystem
internal import Graceful
internal import GracefulDescriptors
internal import GracefulHandover
internal import GracefulTriggers
internal import SystemPackage

/// The other side of a control socket: one request, and the answers to it.
final class ControlClient {
  /// What comes of listening.
  enum Heard: Equatable {
    case answer(ControlAnswer)
    /// Ask again in a moment: another process may answer then.
    case comeAgain(String)
    /// The end of the connection.
    case ended
    /// The instant has come.
    case nothing
  }

  typealias Instant = ContinuousClock.Instant

  private static let nobody = "nobody answers at"
  private let path: String
  private let socket: SharedDescriptor
  private let peer: Peer
  private var decoder = FrameDecoder()
  private var sawPreamble = false
  /// The process that answers, once it has said so.
  private(set) var process: WatchedProcess?
  private(set) var generation = 0

  private init(path: String, socket: SharedDescriptor, peer: Peer) {
    self.path = path
    self.socket = socket
    self.peer = peer
  }

  /// Connects, and asks.
  ///
  /// - Throws: 64 when the path cannot be one of a socket, 69 when no program is there, 77 when this user may not, 124 when
  ///   too many ask at once for too long.
  static func ask(
    _ request: ControlRequest, at path: String, until deadline: Instant, calls: SocketCalls = .live
  ) throws(CommandFailure) -> ControlClient {
    let checked: SocketPath
    do { checked = try SocketPath(path) } catch { throw .usage("\(error)") }
    let number = calls.unixSocket()
    guard number >= 0 else { throw .failed("socket(AF_UNIX) failed: \(Errno(rawValue: -number))") }
    let socket = SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number)))
    while true {
      let connected = calls.connect(number, checked.path)
      if connected >= 0 { break }
      switch Errno(rawValue: -connected) {
      case .wouldBlock, .resourceTemporarilyUnavailable:
        guard ContinuousClock.now < deadline else { throw .late("too many ask at \(path) at once") }
        Waiting.pause(.milliseconds(20), until: deadline)
      case .noSuchFileOrDirectory: throw .nobody("\(nobody) \(path): there is no such socket")
      case .connectionRefused: throw .nobody("\(nobody) \(path): the process that had it has ended")
      case .permissionDenied, .notPermitted:
        throw .notAllowed("user \(ThisProcess.user) may not connect to \(path): only its owner and root may")
      case let errno: throw .nobody("\(nobody) \(path): connect failed: \(errno)")
      }
    }
    let peer: Peer
    do { peer = try calls.peer(number).get() } catch { throw .failed("\(error)") }
    let user = ThisProcess.user
    guard peer.user == user || peer.user == 0 || user == 0 else {
      throw .notAllowed("who answers at \(path) is user \(peer.user), and not user \(user) or root; nothing was asked")
    }
    let client = ControlClient(path: path, socket: socket, peer: peer)
    // A few dozen bytes: a socket that is new has room for them.
    let name = "graceful"
    _ = calls.send(number, (Preamble(purpose: .control, program: name).encoded + Frame(request).encoded)[...], [])
    return client
  }

  /// Waits for what comes next.
  /// - Throws: When what is said is no answer, or it says no.
  func next(until deadline: Instant) throws(CommandFailure) -> Heard {
    while true {
      if let heard = try decoded() { return heard }
      // No longer than there is something to be read; the deadline is looked at each time, however much comes.
      guard ContinuousClock.now < deadline, !Waiting.readable([socket.number], until: deadline).isEmpty else {
        return .nothing
      }
      let received = SocketCalls.live.receive(socket.number, 64 * 1024)
      for descriptor in received.descriptors { _ = cgs_close(descriptor) }
      if received.result == 0 { return .ended }
      if received.result < 0 {
        let errno = Errno(rawValue: CInt(-received.result))
        if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable { continue }
        return .ended
      }
      decoder.append(received.bytes)
    }
  }

  private func decoded() throws(CommandFailure) -> Heard? {
    let output: FrameDecoder.Output?
    do { output = try decoder.next() } catch { throw foreign("\(error)") }
    switch output {
    case nil: return nil
    case .preamble(let preamble):
      sawPreamble = true
      // A refusal because of the version comes with the version of the program that refuses; nothing else can be read.
      guard preamble.version == Preamble.currentVersion else {
        throw foreign("it speaks version \(preamble.version) of the protocol, and this is \(Preamble.currentVersion)")
      }
      return try decoded()
    case .frame(let frame):
      if case .message(.refused(let refusal, let reason))? = frame.message() { return try refused(refusal, reason) }
      let answer: ControlAnswer
      do { answer = try ControlAnswer(type: frame.type, payload: frame.payload) } catch {
        throw foreign("a frame of type \(frame.type) is no answer")
      }
      return try heard(answer)
    }
  }

  /// Before it is known whether the program speaks of control.
  private func refused(_ refusal: Message.Refusal, _ reason: String) throws(CommandFailure) -> Heard {
    switch refusal {
    case .starting, .busy, .stopping: return .comeAgain(reason)
    case .notAllowed: throw .notAllowed("the process at \(path) refuses: \(reason)")
    case .unknownVersion, .unknownPurpose: throw .nobody("the process at \(path) does not answer this: \(reason)")
    default: throw .failed("the process at \(path) refuses: \(reason)")
    }
  }

  private func heard(_ answer: ControlAnswer) throws(CommandFailure) -> Heard {
    switch answer {
    case .serving(let process, let generation):
      self.generation = Int(generation)
      self.process = watched(Int32(truncatingIfNeeded: process))
    case .refused(.busy, let reason): return .comeAgain(reason)
    case .refused(.unknownRequest, let reason), .refused(.impossible, let reason):
      throw .nobody("the process at \(path) does not do that: \(reason)")
    case .refused(_, let reason): throw .failed("the process at \(path) refuses: \(reason)")
    case .accepted, .part, .whole, .stopped, .restarted, .failed: break
    }
    return .answer(answer)
  }

  /// The process that answers.
  ///
  /// The system names the process that called listen(2) last. If another one answers (an earlier generation, or the number
  /// is of another namespace), then its end is known by the end of the connection alone.
  private func watched(_ process: Int32) -> WatchedProcess {
    guard peer.process == process, process > 0 else { return WatchedProcess(process, pidfd: nil) }
    let pidfd = SocketCalls.live.peerProcess(socket.number)
    if pidfd >= 0 {
      return WatchedProcess(
        process, pidfd: SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: pidfd))))
    }
    // Before Linux 6.5: it has just answered. Should it have ended since, and its number be another's, then the
    // connection has ended, too, and is looked at next.
    return (try? WatchedProcess(process)) ?? WatchedProcess(process, pidfd: nil)
  }

  private func foreign(_ what: String) -> CommandFailure {
    .nobody("what answers at \(path) is no program of this kind: \(what)")
  }
}

/// Collects a document.
struct DocumentParts {
  /// More than a hundred thousand phases.
  private static let limit = 64 * 1024 * 1024
  private var bytes: [UInt8] = []

  /// - Returns: the document when this was its end.
  mutating func add(_ answer: ControlAnswer) throws(CommandFailure) -> String? {
    switch answer {
    case .part(let part):
      guard bytes.count + part.count <= Self.limit else { throw .failed("the answer is longer than 64 MiB") }
      bytes += part
      return nil
    case .whole:
      defer { bytes = [] }
      return String(decoding: bytes, as: UTF8.self)
    case .serving, .refused, .accepted, .stopped, .restarted, .failed: return nil
    }
  }
}
