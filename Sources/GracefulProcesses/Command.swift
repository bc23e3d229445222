/// What to run: an executable, its arguments, its environment, its directory and the descriptors it is given.
public struct Command: Hashable, Sendable {
  /// A descriptor to pass: its number here, and the number that it shall have in the child.
  public struct Descriptor: Hashable, Sendable {
    /// The number in this process.
    ///
    /// It stays open here.
    public var ours: Int32
    /// The number in the child, where it is not closed on exec.
    public var childs: Int32

    /// Makes a pair.
    public init(ours: Int32, childs: Int32) {
      self.ours = ours
      self.childs = childs
    }
  }

  /// A path, or a name without a slash that is looked for along `PATH`.
  ///
  /// It is found anew at each spawn, so that a file which a deploy has replaced is the new one. A relative path with a
  /// slash counts from ``directory``.
  public var executable: String
  /// What comes after `argv[0]`; `argv[0]` is ``executable`` as it is written.
  public var arguments: [String]
  /// The whole environment, as ``ChildEnvironment`` cleans it of what belongs to one process only.
  public var environment: [String: String]
  /// Variables for this one child, after the cleaning: this is how a variable that ``ChildEnvironment`` takes away reaches it.
  public var own: [String: String]
  /// The working directory; `nil` is the one of this process.
  public var directory: String?
  /// What is passed besides 0, 1 and 2, which are this process's own unless they are named here.
  public var descriptors: [Descriptor]

  /// Makes a command; nothing is looked up before it is spawned.
  public init(
    _ executable: String, arguments: [String] = [], environment: [String: String], own: [String: String] = [:],
    directory: String? = nil, descriptors: [Descriptor] = []
  ) {
    self.executable = executable
    self.arguments = arguments
    self.environment = environment
    self.own = own
    self.directory = directory
    self.descriptors = descriptors
  }
}
