/// Something that had not ended when its deadline came.
public struct Straggler: Hashable, Sendable, CustomStringConvertible {
  /// What can be late.
  ///
  /// More will come, so it is compared, not switched over.
  public struct Kind: Hashable, Sendable, CustomStringConvertible {
    /// `phase` or `session`, as in JSON.
    public let description: String

    /// A phase, or a child phase.
    public static var phase: Self { Self(description: "phase") }
    /// A session that was given a name.
    public static var session: Self { Self(description: "session") }
  }

  /// What it is.
  public var kind: Kind
  /// Its name; a child phase has its parents' before it: `web/import`.
  public var name: String
  /// The phase that it is, or that it is in.
  public var phase: String
  /// How old a session was when the time of its phase was over.
  ///
  /// `nil` for a phase: its report says when it began.
  public var age: Duration?

  package init(phase: String) {
    kind = .phase
    name = phase
    self.phase = phase
  }

  package init(session name: String, in phase: String, age: Duration) {
    kind = .session
    self.name = name
    self.phase = phase
    self.age = age
  }

  /// `web`, or `POST /orders in web (12.3 s old)`.
  public var description: String {
    if let age { "\(name) in \(phase) (\(age.brief) old)" } else { name }
  }
}
