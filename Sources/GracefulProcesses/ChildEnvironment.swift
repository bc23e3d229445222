/// What of an environment a child process may see.
///
/// Some variables say something about one process and are wrong in any other. They are listed here, and nowhere else;
/// everything else passes on, the settings of the user among it: a successor reads the same `GRACEFUL_REPORT_FILE` and
/// `GRACEFUL_GRACE_SECONDS` as the process that it replaces. `NOTIFY_SOCKET` stays, too: the child may become the main
/// process and speak for the service.
public enum ChildEnvironment {
  private static let ofOneProcess: Set = [
    // Names the process that is watched (sd_watchdog_enabled(3)): this one.
    "WATCHDOG_PID",
    // Names a descriptor that was given to one successor.
    "GRACEFUL_HANDOVER_SOCKET",
    // Asks one process to print its plan and to exit: a successor must serve.
    "GRACEFUL_PLAN",
    // Asks one process of a rehearsal to wait in the middle of its handover, so that it can be killed there.
    "GRACEFUL_REHEARSAL_PAUSE",
  ]

  /// The environment without what belongs to one process only, and with what is written for the child.
  ///
  /// - Parameters:
  ///   - environment: The one of this process, or any other.
  ///   - own: Variables for this child; they are kept whatever their name, and win over inherited ones.
  public static func cleaned(_ environment: [String: String], adding own: [String: String] = [:]) -> [String: String] {
    environment.filter { !belongsToOneProcess($0.key) }.merging(own) { _, ours in ours }
  }

  /// Whether a variable says something about one process that is wrong for its children.
  ///
  /// Every `LISTEN_*` does: these name descriptors that were passed to us (sd_listen_fds(3): a process that starts a
  /// child unsets them).
  public static func belongsToOneProcess(_ name: String) -> Bool {
    ofOneProcess.contains(name) || name.hasPrefix("LISTEN_")
  }
}
