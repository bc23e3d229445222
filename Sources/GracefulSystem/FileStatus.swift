internal import CGracefulSystem
package import SystemPackage

/// What lstat(2) or fstat(2) tells of a file, as far as it matters here.
package struct FileStatus: Hashable, Sendable {
  /// The raw value is how an error calls it.
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
  /// The lowest twelve bits of the mode: those of chmod(2), with set-user-ID, set-group-ID and sticky.
  package var permissions: UInt32
  /// How many names it has.
  package var links: UInt64
  package var device: UInt64
  package var inode: UInt64
  /// When it was made, or its status changed (ctime), in nanoseconds since 1970: no system call sets that.
  package var changed: Int64
  /// When the file was made, in nanoseconds since 1970, by its name; 0 where the file system does not say, or it was asked
  /// for by a descriptor.
  package var born: Int64

  package init(
    _ kind: Kind, user: UInt32, permissions: UInt32, links: UInt64 = 1, device: UInt64 = 1, inode: UInt64,
    changed: Int64, born: Int64 = 0
  ) {
    self.kind = kind
    self.user = user
    self.permissions = permissions
    self.links = links
    self.device = device
    self.inode = inode
    self.changed = changed
    self.born = born
  }

  /// Which file: as long as it exists, no other one has it, under whatever descriptor or name.
  package struct Identity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64

    package init(device: UInt64, inode: UInt64) {
      self.device = device
      self.inode = inode
    }
  }

  package var identity: Identity { Identity(device: device, inode: inode) }

  /// Which file, as it is: the number of a file that is removed soon belongs to another one.
  package struct Version: Hashable, Sendable {
    package var identity: Identity
    package var changed: Int64
  }

  package var version: Version { Version(identity: identity, changed: changed) }

  package var isSticky: Bool { permissions & 0o1000 != 0 }
}

extension FileStatus {
  /// lstat(2): a link is reported as a link; a path that ends in `/.` is the directory that a link leads to.
  /// - Throws: `ENOENT` when nothing is there.
  package static func read(at path: String) throws(SystemError) -> FileStatus {
    try read("lstat", on: path) { status in cgs_link_status(path, &status) }
  }

  /// The same of a path that need not be UTF-8.
  package static func read(at path: FilePath) throws(SystemError) -> FileStatus {
    try read("lstat", on: path.string) { status in path.withPlatformString { cgs_link_status($0, &status) } }
  }

  /// fstat(2).
  package static func read(of descriptor: Int32) throws(SystemError) -> FileStatus {
    try read("fstat", on: "descriptor \(descriptor)") { status in cgs_descriptor_status(descriptor, &status) }
  }

  private static func read(
    _ operation: String, on subject: String, _ call: (inout cgs_file_status) -> Int32
  ) throws(SystemError) -> FileStatus {
    var status = cgs_file_status()
    let result = call(&status)
    guard result >= 0 else { throw SystemError(operation, on: subject, result: result) }
    return FileStatus(status)
  }

  private init(_ status: cgs_file_status) {
    // The bits of S_IFMT are the same on every system that this runs on (inode(7), sys/stat.h).
    let kind: Kind =
      switch status.mode & 0o170000 {
      case 0o100000: .file
      case 0o040000: .directory
      case 0o120000: .link
      case 0o010000: .pipe
      case 0o140000: .socket
      default: .device
      }
    self.init(
      kind, user: status.user, permissions: status.mode & 0o7777, links: status.links, device: status.device,
      inode: status.inode, changed: status.changed_seconds &* 1_000_000_000 &+ status.changed_nanoseconds,
      born: status.born_seconds &* 1_000_000_000 &+ status.born_nanoseconds)
  }
}
