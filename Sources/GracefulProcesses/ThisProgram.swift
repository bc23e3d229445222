internal import CGracefulSystem
internal import GracefulDescriptors
package import GracefulSystem

/// This program, as it would have to be started to have it once more.
package enum ThisProgram {
  /// The command that this process was started with: executable, arguments, environment and working directory.
  ///
  /// The executable is `argv[0]` as it was written, and not the file that runs: a deploy has replaced that one, or has
  /// turned a symbolic link in its path to another release. For the same reason the directory is `$PWD`, with its
  /// symbolic links, where that is the working directory, and else what getcwd(3) says. Arguments and variables are text:
  /// bytes in them that are not UTF-8 arrive replaced.
  /// - Throws: when the working directory has been deleted.
  package static func command() throws(SystemError) -> Command {
    var path = [CChar](repeating: 0, count: 4097)
    let result = cgs_working_directory(&path, path.count)
    guard result >= 0 else {
      throw SystemError(
        "getcwd", on: "the working directory", result: result,
        advice: "it has been deleted or closed to this user; start the program in a directory that stays")
    }
    let arguments = CommandLine.arguments
    let environment = EnvironmentVariables.all
    let physical = String(decoding: path.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let logical = environment["PWD"].flatMap { isSameDirectory($0, physical) ? $0 : nil }
    return Command(
      arguments.first ?? "", arguments: Array(arguments.dropFirst()), environment: environment,
      directory: logical ?? physical)
  }

  private static func isSameDirectory(_ path: String, _ other: String) -> Bool {
    guard path.hasPrefix("/"), case .success(let one) = SocketCalls.live.status(path + "/."),
      case .success(let two) = SocketCalls.live.status(other + "/.")
    else { return false }
    return one.identity == two.identity
  }
}
