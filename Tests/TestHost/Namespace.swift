internal import Foundation

/// Namespaces of the kernel in which a test may have what elsewhere all share (namespaces(7)).
public enum Namespace {
  /// The command that makes one.
  public static let unshare = "/usr/bin/unshare"

  /// Those for a process that is to be process 1.
  public static let ofProcesses = ["--pid", "--fork", "--kill-child", "--mount-proc"]

  /// Whether this machine lets this user have one: a container often does not.
  public static func isPermitted(_ options: [String]) -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: unshare)
    process.arguments = options + ["true"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}
