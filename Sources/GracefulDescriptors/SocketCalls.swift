internal import CGracefulSystem

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
  package var accept: @Sendable (_ listener: Int32) -> Int32
  package var connect: @Sendable (_ descriptor: Int32, _ path: Path) -> Int32
  package var bind: @Sendable (_ descriptor: Int32, _ path: Path) -> Int32
  package var listen: @Sendable (_ descriptor: Int32, _ backlog: Int32) -> Int32
  package var unixSocket: @Sendable () -> Int32
  package var peer: @Sendable (_ descriptor: Int32) -> Result<Peer, SystemError>
  package var peerProcess: @Sendable (_ descriptor: Int32) -> Int32
  /// pidfd_send_signal(2): to that process, never to one that has its number now.
  package var signalProcess: @Sendable (_ process: Int32, _ signal: Int32) -> Int32
  package var status: @Sendable (_ path: Path) -> Result<FileStatus, SystemError>
  package var descriptorStatus: @Sendable (_ descriptor: Int32) -> Result<FileStatus, SystemError>
  package var unlink: @Sendable (_ path: Path) -> Int32
  /// mkdir(2), mode 0700.
  package var makeDirectory: @Sendable (_ path: Path) -> Int32
  package var openPrivate: @Sendable (_ path: Path) -> Int32
  package var tryLock: @Sendable (_ descriptor: Int32) -> Int32
  package var listenTCP: @Sendable (_ address: String, _ port: UInt16) -> Int32

  /// What one recvmsg(2) brought.
  package struct Received: Sendable {
    /// The count of bytes (0: the end of the stream), or `-errno`.
    package var result: Int
    package var bytes: [UInt8]
    /// Descriptors that this process owns from now on.
    package var descriptors: [Int32]
    /// MSG_CTRUNC: descriptors were lost on the way in, because this process may not open more.
    package var truncated: Bool

    package init(result: Int, bytes: [UInt8] = [], descriptors: [Int32] = [], truncated: Bool = false) {
      self.result = result
      self.bytes = bytes
      self.descriptors = descriptors
      self.truncated = truncated
    }
  }
}

/// Who is at the other end of a Unix socket, as the kernel saw it when the connection was made.
package struct Peer: Sendable, Equatable {
  /// 0 where the system does not tell, or when the process lives in a namespace that cannot be seen from here.
  package var process: Int32
  package var user: UInt32

  package init(process: Int32, user: UInt32) {
    self.process = process
    self.user = user
  }
}

/// What lstat(2) tells, as far as it matters here.
package struct FileStatus: Sendable, Equatable {
  package enum Kind: Sendable, Equatable { case regular, directory, link, socket, other }

  package var kind: Kind
  package var user: UInt32
  package var permissions: UInt32
  package var device: UInt64
  package var inode: UInt64

  /// What tells it from all others that are there at the same time, under whatever number or name.
  package struct Identity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }
  }

  package var identity: Identity { Identity(device: device, inode: inode) }

  package var isSticky: Bool { permissions & 0o1000 != 0 }

  init(_ status: cgs_file_status) {
    user = status.user
    permissions = status.mode & 0o7777
    device = status.device
    inode = status.inode
    // The bits of S_IFMT are the same on every system that this runs on (inode(7), sys/stat.h).
    kind =
      switch status.mode & 0o170000 {
      case 0o100000: .regular
      case 0o040000: .directory
      case 0o120000: .link
      case 0o140000: .socket
      default: .other
      }
  }
}

extension SocketCalls {
  /// The system itself.
  package static let live = SocketCalls(
    send: { descriptor, bytes, descriptors in
      repeating {
        bytes.withUnsafeBytes { cgs_send(descriptor, $0.baseAddress, $0.count, descriptors, descriptors.count) }
      }
    },
    receive: { descriptor, count in
      var descriptors = [Int32](repeating: -1, count: Int(CGS_DESCRIPTORS_A_MESSAGE) + 1)
      var held = 0
      var truncated: Int32 = 0
      var result = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        result = repeating { cgs_receive(descriptor, buffer.baseAddress, count, &descriptors, &held, &truncated) }
        initialized = max(0, result)
      }
      return Received(
        result: result, bytes: bytes, descriptors: Array(descriptors.prefix(held)), truncated: truncated != 0)
    },
    accept: { listener in repeating { cgs_accept(listener) } },
    connect: { descriptor, path in repeating { cgs_unix_connect(descriptor, path) } },
    bind: { descriptor, path in cgs_unix_bind(descriptor, path) },
    listen: { descriptor, backlog in cgs_listen(descriptor, backlog) },
    unixSocket: { cgs_unix_stream_socket() },
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
    status: { path in
      var status = cgs_file_status()
      let result = cgs_link_status(path, &status)
      return result >= 0
        ? .success(FileStatus(status)) : .failure(SystemError("lstat", on: path, result: result))
    },
    descriptorStatus: { descriptor in
      var status = cgs_file_status()
      let result = cgs_descriptor_status(descriptor, &status)
      return result >= 0
        ? .success(FileStatus(status)) : .failure(SystemError("fstat", on: "descriptor \(descriptor)", result: result))
    },
    unlink: { path in cgs_unlink(path) },
    makeDirectory: { path in cgs_make_directory(path, 0o700) },
    openPrivate: { path in repeating { cgs_open_private(path) } },
    tryLock: { descriptor in repeating { cgs_try_lock(descriptor) } },
    listenTCP: { address, port in cgs_tcp_listen(address, port, 4096) }
  )
}

private let interrupted = -4  // -EINTR, the same number on Linux and macOS

private func repeating<Number: BinaryInteger>(_ call: () -> Number) -> Number {
  while true {
    let result = call()
    if result != Number(interrupted) { return result }
  }
}

/// What the system tells about this process.
package enum ThisProcess {
  /// The user that it acts as.
  package static var user: UInt32 { cgs_effective_user() }
  /// Its number.
  package static var number: Int32 { cgs_process_id() }
  /// How many descriptors it may have open (RLIMIT_NOFILE).
  package static var descriptorLimit: Int { Int(clamping: cgs_descriptor_limit()) }
}
