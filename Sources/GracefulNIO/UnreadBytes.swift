import NIOCore

/// Whether the kernel holds bytes of a connection that were not read yet.
enum UnreadBytes {
  /// What tells it without the descriptor.
  ///
  /// On Linux `SO_MEMINFO` (55), whose first word is the memory that the receive queue takes (`sk_rmem_alloc`,
  /// sock_diag(7)): zero exactly when the queue is empty. Elsewhere `SO_NREAD` (0x1020), the number of bytes.
  private static var option: ChannelOptions.Types.SocketOption {
    #if os(Linux)
    .init(level: .socket, name: .init(rawValue: 55))
    #else
    .init(level: .socket, name: .init(rawValue: 0x1020))
    #endif
  }

  /// Asks the kernel: one getsockopt(2), on the channel's own loop.
  ///
  /// A channel that has no socket has nothing unread.
  static func exist(on channel: any Channel) -> Bool {
    // EmbeddedChannel and its like trap on an option that they do not know.
    guard channel is any SocketOptionProvider, let held = try? channel.syncOptions?.getOption(option) else {
      return false
    }
    // NIO asks for eight bytes: on Linux the first four are the word, and the next four another one.
    return UInt32(truncatingIfNeeded: held.littleEndian) != 0
  }
}
