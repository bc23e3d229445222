internal import SystemPackage

/// What this machine refused its own clients, in words.
enum OwnRefusal {
  static func sentence(errno: Int32) -> String {
    let errno = Errno(rawValue: errno)
    let advice =
      switch errno {
      case .addressNotAvailable, .addressInUse:
        "it has no local port left; use fewer connections, or set net.ipv4.tcp_tw_reuse to 2"
      case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "raise the limit of open files (ulimit -n)"
      default: "the clients could not connect"
      }
    return "this machine refused its own clients (\(errno)): \(advice). It says nothing about the server."
  }
}
