// So that the state machines, which import nothing, can speak of it.
@_exported public import GracefulSystem

package typealias StopFileStatus = FileStatus

/// A look at a path.
package enum StopFileLook: Hashable, Sendable {
  case absent
  case found(StopFileStatus)
  /// An errno.
  case failed(Int32)
}
