/// What of an environment a child process may see.
///
/// Some variables describe one process and are wrong in any other: `LISTEN_*` names descriptors that were passed to us
/// (sd_listen_fds(3): whoever starts a child unsets them), `WATCHDOG_PID` names us as the one who is watched
/// (sd_watchdog_enabled(3)), and every `GRACEFUL_*` was written for us by whoever started us. `NOTIFY_SOCKET` stays: the
/// child may become the main process and speak for the service.
public enum ChildEnvironment {
  /// The environment without what belongs to one process only, and with what is written for the child.
  ///
  /// - Parameters:
  ///   - environment: The one of this process, or any other.
  ///   - own: Variables for this child; they are kept whatever their name, and win over inherited ones.
  public static func cleaned(_ environment: [String: String], adding own: [String: String] = [:]) -> [String: String] {
    environment.filter { !belongsToOneProcess($0.key) }.merging(own) { _, ours in ours }
  }

  /// Whether a variable says something about one process that is wrong for its children.
  public static func belongsToOneProcess(_ name: String) -> Bool {
    name == "WATCHDOG_PID" || name.hasPrefix("LISTEN_") || name.hasPrefix("GRACEFUL_")
  }
}
