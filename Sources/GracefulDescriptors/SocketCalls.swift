internal import CGracefulSystem
package import GracefulSystem

/// The one seam between this package and the system's sockets, so that a test can make the n-th call fail.
///
/// Each call returns a value >= 0, or `-errno`. Those that can be interrupted are repeated after `EINTR`, here and
/// nowhere else.
package struct SocketCalls: Sendable {
  package typealias Path = String

  /// The most descriptors that the system takes in one message.
  package static let descriptorsAMessage = Int(CGS_DESCRIPTORS_A_MESSAGE)

  /// sendmsg(2), with descriptors or without.
  package var send: @Sendable (_ descriptor: Int32, _ bytes: ArraySlice<UInt8>, _ descriptors: [Int32]) -> Int
  /// recvmsg(2): up to `count` bytes, and all descriptors that came with them.
  package var receive: @Sendable (_ descriptor: Int32, _ count: Int) -> Received
  /// The same from a peer that is to send no descriptors: none that it sends is ever open here.
  package var receiveBytes: @Sendable (_ descriptor: Int32, _ count: Int) -> Received
  package var accept: @Sendable (_ listener: Int32) -> Int32
  package var connect: @Sendable (_ descriptor: Int32, _ path: Path) -> Int32
  package var bind: @Sendable (_ descriptor: Int32, _ path: Path) -> Int32
  package var listen: @Sendable (_ descriptor: Int32, _ backlog: Int32) -> Int32
  package var unixSocket: @Sendable () -> Int32
  /// Family, type, and whether it listens.
  package var kind: @Sendable (_ descriptor: Int32) -> Result<SocketKind, SystemError>
  /// Makes a listening socket non-blocking that other processes have too; where one of them undoes that, accept(2) returns
  /// after 20 ms with `EAGAIN`.
  package var keepNonblocking: @Sendable (_ descriptor: Int32) -> Int32
  package var peer: @Sendable (_ descriptor: Int32) -> Result<Peer, SystemError>
  package var peerProcess: @Sendable (_ descriptor: Int32) -> Int32
  /// pidfd_send_signal(2): to that process, never to another that has its number now.
  package var signalProcess: @Sendable (_ process: Int32, _ signal: Int32) -> Int32
  package var status: @Sendable (_ path: Path) -> Result<FileStatus, SystemError>
  package var descriptorStatus: @Sendable (_ descriptor: Int32) -> Result<FileStatus, SystemError>
  package var unlink: @Sendable (_ path: Path) -> Int32
  /// mkdir(2), mode 0700.
  package var makeDirectory: @Sendable (_ path: Path) -> Int32
  package var openPrivate: @Sendable (_ path: Path) -> Int32
  /// A descriptor that stands for what is at a path, and can do nothing with it (open(2), `O_PATH`).
  package var openPath: @Sendable (_ path: Path) -> Int32
  package var tryLock: @Sendable (_ descriptor: Int32) -> Int32
  package var listenTCP: @Sendable (_ address: String, _ port: UInt16) -> Int32

  /// What one recvmsg(2) brought.
  package struct Received: Sendable {
    /// The count of bytes (0: the end of the stream), or `-errno`.
    package var result: Int
    package var bytes: [UInt8]
    /// Descriptors that this process owns from now on.
    package var descriptors: [Int32]
    /// MSG_CTRUNC: descriptors were lost on the way in, because this process may not open more, or wants none.
    package var truncated: Bool

    package init(result: Int, bytes: [UInt8] = [], descriptors: [Int32] = [], truncated: Bool = false) {
      self.result = result
      self.bytes = bytes
      self.descriptors = descriptors
      self.truncated = truncated
    }
  }
}

/// The other end of a Unix socket, as the kernel saw it when the connection was made.
package struct Peer: Sendable, Equatable {
  /// 0 where the system does not tell, or when the process lives in a namespace that cannot be seen from here.
  package var process: Int32
  package var user: UInt32

  package init(process: Int32, user: UInt32) {
    self.process = process
    self.user = user
  }
}

extension SocketCalls {
  /// The system itself.
  package static let live = SocketCalls(
    send: { descriptor, bytes, descriptors in
      repeatingInterrupted {
        bytes.withUnsafeBytes { cgs_send(descriptor, $0.baseAddress, $0.count, descriptors, descriptors.count) }
      }
    },
    receive: { descriptor, count in
      var descriptors = [Int32](repeating: -1, count: Int(CGS_DESCRIPTORS_A_MESSAGE) + 1)
      var held = 0
      var truncated: Int32 = 0
      var result = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        result = repeatingInterrupted {
          cgs_receive(descriptor, buffer.baseAddress, count, &descriptors, &held, &truncated)
        }
        initialized = max(0, result)
      }
      return Received(
        result: result, bytes: bytes, descriptors: Array(descriptors.prefix(held)), truncated: truncated != 0)
    },
    receiveBytes: { descriptor, count in
      var truncated: Int32 = 0
      var result = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        result = repeatingInterrupted { cgs_receive_bytes(descriptor, buffer.baseAddress, count, &truncated) }
        initialized = max(0, result)
      }
      return Received(result: result, bytes: bytes, truncated: truncated != 0)
    },
    accept: { listener in repeatingInterrupted { cgs_accept(listener) } },
    connect: { descriptor, path in repeatingInterrupted { cgs_unix_connect(descriptor, path) } },
    bind: { descriptor, path in cgs_unix_bind(descriptor, path) },
    listen: { descriptor, backlog in cgs_listen(descriptor, backlog) },
    unixSocket: { cgs_unix_stream_socket() },
    kind: { descriptor in Result { () throws(SystemError) in try SocketKind(of: descriptor) } },
    keepNonblocking: { descriptor in cgs_keep_nonblocking(descriptor) },
    peer: { descriptor in
      var peer = cgs_peer(pid: 0, user: 0)
      let result = cgs_peer_credentials(descriptor, &peer)
      guard result >= 0 else {
        return .failure(SystemError("getsockopt(SO_PEERCRED)", on: "descriptor \(descriptor)", result: result))
      }
      return .success(Peer(process: peer.pid, user: peer.user))
    },
    peerProcess: { descriptor in cgs_peer_pidfd(descriptor) },
    signalProcess: { process, signal in cgs_pidfd_signal(process, signal) },
    status: { path in Result { () throws(SystemError) in try FileStatus.read(at: path) } },
    descriptorStatus: { descriptor in Result { () throws(SystemError) in try FileStatus.read(of: descriptor) } },
    unlink: { path in cgs_unlink(path) },
    makeDirectory: { path in cgs_make_directory(path, 0o700) },
    openPrivate: { path in repeatingInterrupted { cgs_open_private(path) } },
    openPath: { path in repeatingInterrupted { cgs_open_path(path) } },
    tryLock: { descriptor in repeatingInterrupted { cgs_try_lock(descriptor) } },
    listenTCP: { address, port in cgs_tcp_listen(address, port, ListenAddress.backlog) }
  )
}
