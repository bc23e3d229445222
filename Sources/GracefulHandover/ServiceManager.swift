package import GracefulProcesses

/// Whether the parent of this process is systemd, which started it to be a service and waits to be told which process goes on.
///
/// systemd treats a main process that is not its own child as a stranger: it does not wait for its end when the service is
/// stopped, and kills it some milliseconds after `SIGTERM` (tried with 252). So a successor is to be its child.
package enum ServiceManager {
  /// Names the process that the service manager has started (systemd.exec(5)): for a successor that is wrong.
  ///
  /// Without it the parent says so, as it did before systemd 248.
  static let startedVariable = "SYSTEMD_EXEC_PID"

  /// `NOTIFY_SOCKET` alone does not say so: shells of a terminal in a desktop session inherit it.
  ///
  /// The parent must be process 1 or the user's manager, which says its number in `MANAGERPID` (systemd.exec(5)). Not asked
  /// is whether process 1 is systemd: whatever it is, it adopts what this process leaves behind, and the successor with it,
  /// only a little later.
  package static func isParent(environment: [String: String], parent: ProcessID) -> Bool {
    guard let socket = environment["NOTIFY_SOCKET"], !socket.isEmpty else { return false }
    return parent.rawValue == 1 || environment["MANAGERPID"] == "\(parent)"
  }
}
