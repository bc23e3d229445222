internal import GracefulDescriptors
internal import GracefulSystem
internal import SystemPackage

/// Which file a socket was bound to; the socket itself does not know.
///
/// It passes on with the socket, so that only the last owner removes the path, and never a path that is another
/// process's by now. A number alone does not say which file it is: when a file is removed, the file system gives its number to
/// the next one, mostly at once. So the file is held, by a descriptor that stands for it: while that is open, no other file
/// gets its number.
package struct BoundPath: Equatable, Sendable {
  private let file: FileStatus.Identity
  /// When the file was made, as far as that was seen here: the second-best proof.
  private var changed: Int64?
  /// Stands for the file, whether or not its path still leads to it; `nil` where it cannot be had.
  private(set) var holder: SharedDescriptor?

  init(_ status: FileStatus) {
    file = status.identity
    changed = status.changed
  }

  package init?(_ metadata: [UInt8]) {
    var reader = ByteReader(metadata)
    guard let device = reader.number(UInt64.self), let inode = reader.number(UInt64.self), reader.isAtEnd else {
      return nil
    }
    file = FileStatus.Identity(device: device, inode: inode)
  }

  package var metadata: [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendNumber(file.device)
    bytes.appendNumber(file.inode)
    return bytes
  }

  /// As text.
  var words: String { "\(file.device):\(file.inode)" }

  package static func == (one: Self, other: Self) -> Bool { one.file == other.file }

  /// The same, held from now on.
  ///
  /// At a time at which the file cannot have gone: while the socket that was bound to it is open.
  /// - Parameter given: What another process has passed, to stand for the file; where it does, it is as good.
  func held(at path: SocketPath, by given: SharedDescriptor? = nil, calls: SocketCalls) -> Self {
    var held = self
    let number = calls.openPath(path.path)
    let own = number >= 0 ? SharedDescriptor(OwnedDescriptor(adopting: FileDescriptor(rawValue: number))) : nil
    for descriptor in [own, given] {
      guard let descriptor, held.holder == nil, case .success(let status) = calls.descriptorStatus(descriptor.number),
        status.identity == file
      else { continue }
      held.holder = descriptor
      held.changed = status.changed
    }
    if held.holder == nil, case .success(let status) = calls.status(path.path), status.identity == file {
      held.changed = status.changed
    }
    return held
  }

  /// Whether this is the file, and not another with its number.
  func isStill(_ status: FileStatus) -> Bool {
    guard status.identity == file else { return false }
    // Without a descriptor that holds it, the number may be another file's by now.
    return holder != nil || status.changed == changed
  }
}
