internal import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// One end of a handover's connection: bytes and descriptors in and out, on the poll loop's thread, without blocking.
///
/// It holds what it sends until it is sent, and what it received until that is taken: whatever happens, each
/// descriptor is closed exactly once.
final class FrameConnection: Sendable {
  enum Event: Sendable {
    case preamble(Preamble)
    case frame(Frame, [SharedDescriptor])
    case malformed(String)
    case closed
    case peerDied
  }

  struct Outgoing {
    var bytes: ArraySlice<UInt8>
    var descriptors: [SharedDescriptor]
  }

  struct State {
    var socket: SharedDescriptor?
    var process: SharedDescriptor?
    var socketWatch: PollLoop.WatchID?
    var processWatch: PollLoop.WatchID?
    var decoder = FrameDecoder()
    var outgoing: [Outgoing] = []
    var received: [SharedDescriptor] = []
    /// How many descriptors may still come: what is more than was announced is closed on receipt.
    var awaited = Int.max
    var isClosing = false
    var isReading = true
  }

  /// More than two full messages of descriptors never wait for their frame.
  static let descriptorLimit = 2 * SocketCalls.descriptorsAMessage
  static let readCount = 64 * 1024
  static let unasked = "descriptors, which nobody asked for"
  static let strays = "descriptors that belong to no message"
  static let lost = "descriptors were lost on the way, because this process may open no more (RLIMIT_NOFILE)"

  let peer: Peer
  let loop: PollLoop
  let calls: SocketCalls
  let takesDescriptors: Bool
  let onEvent: @Sendable (Event) -> Void
  let state: Mutex<State>

  /// - Parameters:
  ///   - takesDescriptors: Whether the peer may send some; if not, the system drops them, and none is ever open here.
  ///   - onEvent: called on the loop's thread only; nothing after ``close()``.
  init(
    _ socket: SharedDescriptor, peer: Peer, loop: PollLoop, calls: SocketCalls, takesDescriptors: Bool = true,
    onEvent: @escaping @Sendable (Event) -> Void
  ) {
    self.peer = peer
    self.loop = loop
    self.calls = calls
    self.takesDescriptors = takesDescriptors
    self.onEvent = onEvent
    let pidfd = calls.peerProcess(socket.number)
    let process = pidfd >= 0 ? SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: pidfd))) : nil
    state = Mutex(State(socket: socket, process: process))
  }

  /// Goes on with a connection that was given away.
  init(_ given: DetachedConnection, loop: PollLoop, onEvent: @escaping @Sendable (Event) -> Void) {
    peer = given.peer
    self.loop = loop
    calls = given.calls
    takesDescriptors = false
    self.onEvent = onEvent
    state = Mutex(State(socket: given.socket, process: given.process, decoder: given.decoder))
  }

  deinit {
    // A holder that lets go of a connection without closing it must not leave the loop with a number that is closed.
    let watches = state.withLock { [$0.socketWatch, $0.processWatch] }
    for watch in watches { if let watch { loop.unwatch(watch) } }
  }

  /// Begins to read.
  ///
  /// On the loop's thread.
  func start() {
    state.withLock { state in
      guard let socket = state.socket, state.isReading, state.socketWatch == nil else { return }
      state.socketWatch = loop.watch(socket.number, .readable) { [weak self] in self?.ready($0) }
    }
  }

  /// Reports the death of the process at the other end from now on, not only the end of the connection.
  ///
  /// - Parameter process: the number by which the peer calls itself; nil takes the system's word for it. On the
  ///   side that connected, the system names the process that called listen(2) last (unix(7), SO_PEERCRED), which may
  ///   be an earlier generation than the process that answers, and dead. Then only the end of the connection counts.
  func watchProcess(calledItself process: Int32? = nil) {
    state.withLock { state in
      if let process, process != peer.process { state.process = nil }
      guard let process = state.process, state.processWatch == nil else { return }
      state.processWatch = loop.watch(process.number, .readable) { [weak self] _ in self?.processEnded() }
    }
  }

  /// The peer has announced so many descriptors, or none yet.
  ///
  /// On the loop's thread.
  func expect(descriptors count: Int) { state.withLock { $0.awaited = count } }

  /// Sends when there is room, after what was queued before.
  func send(_ bytes: [UInt8], _ descriptors: [SharedDescriptor] = []) {
    state.withLock { state in
      guard state.socket != nil, !state.isClosing else { return }
      state.outgoing.append(Outgoing(bytes: bytes[...], descriptors: descriptors))
    }
    flush()
  }

  func send(_ message: Message, _ descriptors: [SharedDescriptor] = []) {
    send(Frame(message).encoded, descriptors)
  }

  /// Sends what is queued, for a second at the most, then closes.
  ///
  /// No event comes after this.
  func close() {
    let waits = state.withLock { state in
      state.isClosing = true
      return !state.outgoing.isEmpty
    }
    guard waits else { return closeNow() }
    _ = loop.schedule(at: .now + .seconds(1)) { [self] in closeNow() }
    flush()
  }

  /// Gives the connection away, with what has been received of it, so that it can go on elsewhere, on another loop.
  ///
  /// No event comes after this, and what was queued to be sent is lost. On the loop's thread.
  func detach() -> DetachedConnection? {
    let (given, watches) = state.withLock { state -> (DetachedConnection?, [PollLoop.WatchID?]) in
      let given = state.socket.map {
        DetachedConnection(socket: $0, process: state.process, decoder: state.decoder, peer: peer, calls: calls)
      }
      defer { state = State(socket: nil, process: nil, isClosing: true, isReading: false) }
      return (given, [state.socketWatch, state.processWatch])
    }
    for watch in watches { if let watch { loop.unwatch(watch) } }
    return given
  }

  /// Whether something that was given to be sent has not been.
  var hasUnsent: Bool { state.withLock { !$0.outgoing.isEmpty } }

  /// SIGKILL to the process at the other end: to that process, never to another that has its number now.
  ///
  /// - Returns: false when the system gave no descriptor of that process.
  func kill() -> Bool {
    guard let process = state.withLock({ $0.process }) else { return false }
    return calls.signalProcess(process.number, 9) >= 0
  }

  private func closeNow() {
    let (socket, watches) = state.withLock { state in
      let watches = [state.socketWatch, state.processWatch]
      defer { state = State(socket: nil, process: nil, isClosing: true, isReading: false) }
      return (state.socket, watches)
    }
    for watch in watches { if let watch { loop.unwatch(watch) } }
    // The last reference, so that the watch is gone from the loop before the descriptor's number can be used again.
    loop.execute { _ = socket }
  }

  /// After an error that passes, or does not: the loop must not spin on it, and only a deadline or the end decides.
  func lookAgain() {
    state.withLock { state in
      if let watch = state.socketWatch { loop.unwatch(watch) }
      state.socketWatch = nil
    }
    _ = loop.schedule(at: .now + .milliseconds(10)) { [weak self] in
      self?.start()
      self?.flush()
    }
  }

  private func ready(_ readiness: PollLoop.Readiness) {
    if readiness.contains(.writable) { flush() }
    if state.withLock({ $0.isReading }) {
      // Level-triggered: what is left after these rounds is reported again, when timers and others have had their turn.
      if !readiness.isDisjoint(with: [.readable, .hangup, .error, .invalid]) { read(rounds: 8) }
    } else if !readiness.isDisjoint(with: [.hangup, .error, .invalid]) {
      ended()
    }
  }

  private func processEnded() {
    state.withLock { state in
      if let watch = state.processWatch { loop.unwatch(watch) }
    }
    // What the process had said before it died is in the socket, and its end of it is closed by now. Far more rounds
    // than a socket can hold, and still an end, if a child of the dead process holds the other end and writes on.
    read(rounds: 1024)
    if state.withLock({ !$0.isClosing }) { onEvent(.peerDied) }
  }

  // MARK: Writing

  private func flush() {
    while true {
      guard let socket = state.withLock({ $0.socket }), let next = state.withLock({ $0.outgoing.first }) else { break }
      let sent = calls.send(socket.number, next.bytes, next.descriptors.map(\.number))
      if sent < 0 {
        let errno = Errno(rawValue: CInt(-sent))
        if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable { return wantWritable(true) }
        // EPIPE and ECONNRESET are the reader's to report, after what the peer has said before it went.
        let hasEnded = errno == .brokenPipe || errno == .connectionReset
        // Bytes alone fail for want of memory. Dropping a commit or its acknowledgement would leave both sides waiting.
        if !hasEnded, next.descriptors.isEmpty { return lookAgain() }
        state.withLock { $0.outgoing = [] }
        if !hasEnded { report(.malformed("sendmsg failed: \(errno)")) }
        break
      }
      state.withLock { state in
        guard !state.outgoing.isEmpty else { return }
        // The descriptors went with the first byte.
        state.outgoing[0].descriptors = []
        state.outgoing[0].bytes.removeFirst(sent)
        if state.outgoing[0].bytes.isEmpty { state.outgoing.removeFirst() }
      }
    }
    wantWritable(false)
    if state.withLock({ $0.isClosing && $0.outgoing.isEmpty && $0.socket != nil }) { closeNow() }
  }

  func wantWritable(_ wanted: Bool) {
    state.withLock { state in
      guard let watch = state.socketWatch else { return }
      let reading: PollLoop.Interest = state.isReading ? [.readable] : []
      loop.update(watch, wanted ? reading.union(.writable) : reading)
    }
  }
}
