/// What a program can know of where it runs: the seam behind which the platform is recognized.
///
/// The live one is in Graceful; a test says what it is to find.
package struct ProcessSurroundings: Sendable {
  /// The value of an environment variable.
  package var variable: @Sendable (String) -> String?
  /// Whether there is something at a path.
  package var exists: @Sendable (String) -> Bool
  /// Of this process: the contents of `/proc/self/cgroup`.
  package var cgroup: @Sendable () -> String
  package var pid: Int32
  package var parent: Int32

  package init(
    variable: @escaping @Sendable (String) -> String?, exists: @escaping @Sendable (String) -> Bool,
    cgroup: @escaping @Sendable () -> String, pid: Int32, parent: Int32
  ) {
    self.variable = variable
    self.exists = exists
    self.cgroup = cgroup
    self.pid = pid
    self.parent = parent
  }
}

extension ProcessSurroundings {
  /// What the platform does when it is not told otherwise.
  ///
  /// `nil` where nothing is known to kill: a shell, for instance.
  package var platform: PlatformGrace? {
    let cgroup = cgroup()
    // Set in every container of every pod (Kubernetes documentation, "Service").
    if isSet("KUBERNETES_SERVICE_HOST") || cgroup.contains("/kubepods") {
      return PlatformGrace(.seconds(30), .kubernetes)
    }
    if isServiceOfSystemd { return PlatformGrace(.seconds(90), .systemd) }
    let files = ["/.dockerenv", "/run/.containerenv"]
    // Not `docker.service`, which is the daemon itself. In a namespace of its own (cgroup v2) there is nothing to see.
    let signs = ["/docker/", "/docker-", "/libpod-", "/lxc/", "/cri-containerd-", "/crio-"]
    if files.contains(where: exists) || signs.contains(where: { cgroup.contains($0) }) {
      return PlatformGrace(.seconds(10), .container)
    }
    return nil
  }

  /// Whether systemd has started this process, or what has started it, to be a service.
  ///
  /// `INVOCATION_ID` and `NOTIFY_SOCKET` alone do not say so: a terminal in a desktop session is a unit of the user's
  /// systemd, and its shells inherit what it was given. `SYSTEMD_EXEC_PID` names the process that was started
  /// (systemd.exec(5), since 248): it must be this one or its parent, a script. Where it is missing, the parent must be
  /// process 1 or the user's manager (`MANAGERPID`).
  private var isServiceOfSystemd: Bool {
    guard isSet("INVOCATION_ID") || isSet("NOTIFY_SOCKET") else { return false }
    if let started = variable("SYSTEMD_EXEC_PID"), !started.isEmpty {
      return [String(pid), String(parent)].contains(started)
    }
    return parent == 1 || variable("MANAGERPID") == String(parent)
  }

  func isSet(_ name: String) -> Bool { variable(name).map { !$0.isEmpty } ?? false }
}
