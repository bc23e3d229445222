internal import CGracefulSystem

/// The number by which the kernel knows a process, for as long as that process has not been reaped.
///
/// A number alone is no proof of identity: once the process has been reaped the kernel may give the number away again.
/// What must not hit a stranger goes through a ``ChildProcess`` or a ``ProcessWatch``, which hold a pidfd.
public struct ProcessID: RawRepresentable, Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The number.
  public var rawValue: Int32

  /// Makes an id from a number.
  public init(rawValue: Int32) {
    self.rawValue = rawValue
  }

  /// The process that runs this.
  public static var current: ProcessID { ProcessID(rawValue: cgs_process_id()) }

  /// The process that started this one, or that adopted it.
  public static var parent: ProcessID { ProcessID(rawValue: cgs_parent_process_id()) }

  /// By number.
  public static func < (left: ProcessID, right: ProcessID) -> Bool { left.rawValue < right.rawValue }

  /// The number in decimal.
  public var description: String { String(rawValue) }
}
