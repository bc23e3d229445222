internal import CGracefulSystem
internal import GracefulDescriptors
internal import SystemPackage

/// The two ways to start a process: as a child, by posix_spawn(3), or as a child of our parent, by clone(2).
enum Spawn {
  static func run(_ command: Command) throws(SystemError) -> ProcessID {
    try run(command, by: "posix_spawn") { cgs_spawn(&$0) }
  }

  /// A process that is not our child.
  struct Sibling: ~Copyable {
    var id: ProcessID
    /// Stands for it.
    var pidfd: OwnedDescriptor
  }

  static func runSibling(_ command: Command) throws(SystemError) -> Sibling {
    var pidfd: CInt = -1
    let id = try run(command, by: "clone") { cgs_spawn_sibling(&$0, &pidfd) }
    return Sibling(id: id, pidfd: OwnedDescriptor(adopting: FileDescriptor(rawValue: pidfd)))
  }

  private static func run(
    _ command: Command, by call: String, _ perform: (inout cgs_spawn) -> CInt
  ) throws(SystemError) -> ProcessID {
    let environment = ChildEnvironment.cleaned(command.environment, adding: command.own)
    let assignments = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    for text in [command.executable] + command.arguments + assignments where text.utf8.contains(0) {
      throw SystemError(
        operation: "exec", subject: command.executable, errno: .invalidArgument,
        advice: "an argument or variable contains a zero byte, which exec cannot pass")
    }
    let path = try ExecutableSearch.find(
      command.executable, along: environment["PATH"], from: command.directory)
    let arguments = CStringArray([command.executable] + command.arguments)
    let variables = CStringArray(assignments)
    let (sources, numbers) = try disjoint(command.descriptors)
    let result = path.withCString { path in
      withOptionalCString(command.directory) { directory in
        numbers.withUnsafeBufferPointer { numbers in
          var what = cgs_spawn(
            path: path, arguments: arguments.base, environment: variables.base, directory: directory,
            descriptors: numbers.baseAddress, descriptor_pairs: numbers.count / 2)
          return perform(&what)
        }
      }
    }
    sources.forEach { _ = cgs_close($0) }
    guard result >= 0 else { throw explained(result, command, by: call) }
    return ProcessID(rawValue: result)
  }

  /// Copies of our descriptors whose numbers are no child's number, and the pairs.
  ///
  /// The child performs one dup2(2) after the other: with (5 → 3, 3 → 4) the second would pass what the first has just
  /// put at 3. Copies above every number that is written to cannot be overwritten.
  private static func disjoint(
    _ descriptors: [Command.Descriptor]
  ) throws(SystemError) -> (copies: [CInt], numbers: [CInt]) {
    let floor = (descriptors.map(\.childs).max() ?? 2) + 1
    var copies: [CInt] = []
    var numbers: [CInt] = []
    for descriptor in descriptors {
      let copy = cgs_duplicate_above(descriptor.ours, floor)
      guard copy >= 0 else {
        copies.forEach { _ = cgs_close($0) }
        throw SystemError("fcntl(F_DUPFD_CLOEXEC)", on: "descriptor \(descriptor.ours)", result: copy)
      }
      copies.append(copy)
      numbers += [copy, descriptor.childs]
    }
    return (copies, numbers)
  }

  private static func withOptionalCString<R>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> R) -> R {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
  }

  /// One number is reported for the change of directory and for the exec; the question is which it was.
  private static func explained(_ result: CInt, _ command: Command, by call: String) -> SystemError {
    if let directory = command.directory {
      do throws(SystemError) {
        _ = try FileStatus.read(at: "\(directory)/.")
      } catch {
        return SystemError(
          operation: "chdir", subject: directory, errno: error.errno, advice: "check the working directory")
      }
    }
    let advice =
      switch Errno(rawValue: -result) {
      case .noSuchFileOrDirectory: "the file is there, so the interpreter that its first line names is missing"
      case .execFormatError: "it is neither a program for this machine nor a script that begins with #!"
      case .argListTooLong: "arguments and environment together are too long"
      default: ""
      }
    return SystemError(call, on: command.executable, result: result, advice: advice)
  }
}
