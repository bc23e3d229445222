internal import GracefulDescriptors
internal import GracefulProcesses
internal import GracefulSystem
internal import Synchronization
internal import SystemPackage

/// The handover socket, as a predecessor gives it to the successor that it starts itself: as a descriptor.
///
/// A path may have been removed, or be another process's, by the time the successor comes to it; a descriptor that stands for
/// the file leads to that file. The successor connects through it (proc_pid_fd(5)), and so is known by its own credentials. By
/// the path it goes where there is no such descriptor, and when nothing listens behind it any more.
struct GivenSocket {
  /// `NUMBER:DEVICE:INODE:PATH`.
  static let variable = "GRACEFUL_HANDOVER_SOCKET"
  private static let isTaken = Mutex(false)

  private let bound: BoundPath?
  private let path: SocketPath

  init(_ bound: BoundPath?, at path: SocketPath) {
    self.bound = bound
    self.path = path
  }

  /// The command, with the descriptor and the variable that tells of it.
  ///
  /// The descriptor stays open here for as long as this value.
  func passed(by command: Command) -> Command {
    guard let bound, let holder = bound.holder else { return command }
    var command = command
    let number = max(2, command.descriptors.map(\.childs).max() ?? 2) + 1
    command.descriptors.append(Command.Descriptor(ours: holder.number, childs: number))
    command.own[Self.variable] = "\(number):\(bound.words):\(path.path)"
    return command
  }

  /// What this process was given for a path, once: it is closed with the value.
  ///
  /// A variable that was meant for another process is not believed: the descriptor must be what it says.
  static func take(for path: SocketPath, calls: SocketCalls) -> SharedDescriptor? {
    guard let value = EnvironmentVariables.value(of: variable) else { return nil }
    let parts = value.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, parts[3] == path.path, let number = Int32(parts[0]), number > 2,
      !isTaken.withLock({ isTaken in
        defer { isTaken = true }
        return isTaken
      })
    else { return nil }
    guard case .success(let status) = calls.descriptorStatus(number), status.kind == .socket,
      BoundPath(status).words == "\(parts[1]):\(parts[2])"
    else { return nil }
    // Not closed on exec until now: a duplicate is.
    let given = OwnedDescriptor(adopting: FileDescriptor(rawValue: number))
    do throws(SystemError) { return SharedDescriptor(try given.duplicate()) } catch { return nil }
  }

  /// Where connect(2) finds what a descriptor stands for.
  static func path(of descriptor: SharedDescriptor) -> String { "/proc/self/fd/\(descriptor.number)" }
}
