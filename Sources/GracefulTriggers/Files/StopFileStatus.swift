/// What lstat(2) tells of a file, as far as it matters here.
package struct StopFileStatus: Hashable, Sendable {
  package enum Kind: String, Hashable, Sendable {
    case file = "a regular file"
    case directory = "a directory"
    case link = "a symbolic link"
    case pipe = "a named pipe"
    case socket = "a socket"
    case device = "a device"
  }

  package var kind: Kind
  package var user: UInt32
  package var permissions: UInt32
  /// How many names it has.
  package var links: UInt64
  package var device: UInt64
  package var inode: UInt64
  /// When it was made, or its status changed (ctime), in nanoseconds since 1970: nobody can set that.
  package var changed: Int64

  package init(
    _ kind: Kind, user: UInt32, permissions: UInt32, links: UInt64 = 1, device: UInt64 = 1, inode: UInt64,
    changed: Int64
  ) {
    self.kind = kind
    self.user = user
    self.permissions = permissions
    self.links = links
    self.device = device
    self.inode = inode
    self.changed = changed
  }

  /// Which file: as long as it exists, no other one has it.
  package struct Identity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
  }

  package var identity: Identity { Identity(device: device, inode: inode) }

  /// Which file, as it is: the number of one that is removed soon belongs to another one.
  package struct Version: Hashable, Sendable {
    package var identity: Identity
    package var changed: Int64
  }

  package var version: Version { Version(identity: identity, changed: changed) }
}

/// A look at a path.
package enum StopFileLook: Hashable, Sendable {
  case absent
  case found(StopFileStatus)
  /// An errno.
  case failed(Int32)
}
