internal import GracefulDescriptors
internal import Synchronization
internal import SystemPackage

/// What comes in: bytes into frames, each with its own descriptors.
extension FrameConnection {
  func read(rounds: Int) {
    for _ in 0..<rounds {
      guard let socket = state.withLock({ $0.isReading ? $0.socket : nil }) else { return }
      let received =
        takesDescriptors
        ? calls.receive(socket.number, Self.readCount) : calls.receiveBytes(socket.number, Self.readCount)
      let descriptors = received.descriptors.map {
        SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: $0)))
      }
      if received.result < 0 {
        let errno = Errno(rawValue: CInt(-received.result))
        if errno == .wouldBlock || errno == .resourceTemporarilyUnavailable { return }
        // Only the end is the end: a successor that took another error for it would accept beside a predecessor that lives.
        return errno == .connectionReset || errno == .brokenPipe ? ended() : lookAgain()
      }
      let tooMany = state.withLock { state in
        state.received += descriptors
        state.decoder.append(received.bytes)
        return state.received.count > Self.descriptorLimit
      }
      if received.truncated { return broken(takesDescriptors ? Self.lost : Self.unasked) }
      if tooMany { return broken("more descriptors than belong to one message") }
      decode()
      // What has come with the announcement of it is announced by now.
      if state.withLock({ $0.received.count > $0.awaited }) { return broken(Self.unasked) }
      if received.result == 0 { return ended() }
    }
  }

  /// Reports what was complete when the connection was given away.
  ///
  /// On the loop's thread.
  func decodeHeld() { decode() }

  func decode() {
    while true {
      do {
        guard let output = try state.withLock({ try $0.decoder.next() }) else { return }
        switch output {
        case .preamble(let preamble):
          guard !hasStrays else { return broken(Self.strays) }
          report(.preamble(preamble))
        case .frame(let frame):
          let descriptors = take(frame.descriptorCount)
          guard !hasStrays else { return broken(Self.strays) }
          report(.frame(frame, descriptors))
        }
      } catch {
        return broken("\(error)")
      }
    }
  }

  /// Descriptors that are left when no byte of another frame is here belong to none.
  ///
  /// recvmsg(2) ends at a message with descriptors, so that nothing behind that message can be here yet. Kept, they
  /// would be taken for those of the next labels.
  private var hasStrays: Bool { state.withLock { $0.decoder.held == 0 && !$0.received.isEmpty } }

  private func take(_ count: Int) -> [SharedDescriptor] {
    state.withLock { state in
      let taken = Array(state.received.prefix(count))
      state.received.removeFirst(taken.count)
      state.awaited = max(0, state.awaited - taken.count)
      return taken
    }
  }

  /// Nothing more is read, but the end is still looked for: the machine would wait for it for ever where the system
  /// gives no descriptor of the peer's process.
  func broken(_ reason: String) {
    let isWriting = state.withLock { state in
      state.isReading = false
      state.received = []
      return !state.outgoing.isEmpty
    }
    wantWritable(isWriting)
    report(.malformed(reason))
  }

  func ended() {
    state.withLock { state in
      state.isReading = false
      state.received = []
      // Not only a wish for nothing: poll(2) reports a hang-up whatever is asked for, and the loop would spin.
      if let watch = state.socketWatch { loop.unwatch(watch) }
      state.socketWatch = nil
    }
    report(.closed)
    // Where the peer's process is not watched, the end of the connection is all there will ever be.
    if state.withLock({ $0.processWatch == nil }) { report(.peerDied) }
  }

  func report(_ event: Event) {
    if state.withLock({ !$0.isClosing }) { onEvent(event) }
  }
}

extension Frame {
  /// How many descriptors belong to it.
  fileprivate var descriptorCount: Int {
    if case .message(.descriptors(let labels)) = message() { return labels.count }
    return 0
  }
}
