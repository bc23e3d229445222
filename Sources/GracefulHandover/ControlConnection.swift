package import GracefulDescriptors
internal import Synchronization

/// A connection, taken out of a ``FrameConnection`` together with what it has received and not passed on yet.
struct DetachedConnection: Sendable {
  var socket: SharedDescriptor
  var process: SharedDescriptor?
  var decoder: FrameDecoder
  var peer: Peer
  var calls: SocketCalls
}

/// A peer that wants control (``Preamble/Purpose/control``): its user has been checked, and its preamble taken.
///
/// What its frames say is not known here. Its holder lets go of it to close the connection.
package final class ControlConnection: Sendable {
  package enum Event: Equatable, Sendable {
    case frame(Frame)
    /// It broke the protocol, and is not read any more.
    case malformed(String)
    /// Its end; nothing comes after it.
    case closed
  }

  package let peer: Peer
  /// What it calls itself.
  package let program: String

  private enum State {
    case given(DetachedConnection)
    case started(FrameConnection)
    case over
  }

  private let state: Mutex<State>

  init(_ given: DetachedConnection, program: String) {
    peer = given.peer
    self.program = program
    state = Mutex(.given(given))
  }

  /// Goes on with it: greets.
  ///
  /// Nothing is read before ``read()``.
  /// - Parameters:
  ///   - loop: Where it goes on; this must be called on its thread.
  ///   - name: The name by which this program answers.
  ///   - onEvent: Called on the loop's thread; never after ``close()``.
  package func greet(on loop: PollLoop, as name: String, _ onEvent: @escaping @Sendable (Event) -> Void) {
    let connection: FrameConnection? = state.withLock { state in
      guard case .given(let given) = state else { return nil }
      let connection = FrameConnection(given, loop: loop) { event in
        switch event {
        case .frame(let frame, let descriptors):
          onEvent(descriptors.isEmpty ? .frame(frame) : .malformed("descriptors, which nobody asked for"))
        case .preamble: onEvent(.malformed("a second preamble"))
        case .malformed(let reason): onEvent(.malformed(reason))
        case .closed: onEvent(.closed)
        // The end of the connection is all that matters here.
        case .peerDied: break
        }
      }
      state = .started(connection)
      return connection
    }
    guard let connection else { return }
    connection.send(Preamble(purpose: .control, program: name).encoded)
  }

  /// Begins to read, first what had come already.
  ///
  /// On the loop's thread.
  package func read() {
    started?.start()
    started?.decodeHeld()
  }

  /// Sends when there is room, after what was given before.
  package func send(_ frame: Frame) { started?.send(frame.encoded) }

  /// Whether something that was given to be sent has not been: a peer that does not read gets nothing more.
  package var hasUnsent: Bool { started?.hasUnsent ?? false }

  /// Sends what is queued, for a second at the most, then closes.
  ///
  /// On the loop's thread.
  package func close() {
    let connection = started
    state.withLock { $0 = .over }
    connection?.close()
  }

  private var started: FrameConnection? {
    state.withLock { if case .started(let connection) = $0 { connection } else { nil } }
  }
}
