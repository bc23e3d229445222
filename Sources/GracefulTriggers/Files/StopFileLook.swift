// So that the state machines, which import nothing, can speak of a file's status.
@_exported public import GracefulSystem

/// A look at a path.
package enum StopFileLook: Hashable, Sendable {
  case absent
  case found(FileStatus)
  /// An errno.
  case failed(Int32)
}
