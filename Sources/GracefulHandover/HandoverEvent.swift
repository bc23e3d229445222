/// What happens in a handover, for logs and triggers.
///
/// More may come, so an event is looked at by its ``kind`` and by what it carries:
///
/// ```swift
/// configuration.onEvent = { event in
///   if event.kind == .tookOver { print("process \(event.process ?? 0) serves now") }
/// }
/// ```
public struct HandoverEvent: Equatable, Sendable {
  /// What happened.
  ///
  /// More may come, so it is compared, not switched over.
  public struct Kind: Hashable, Sendable, CustomStringConvertible {
    /// The name of the kind.
    public let description: String

    /// A successor has connected and was sent what this process has; with its process and its program.
    public static var offering: Self { Self(description: "offering") }
    /// The successor is ready; the commit was sent, and this process accepts on until it is acknowledged.
    public static var committing: Self { Self(description: "committing") }
    /// The successor has taken over; this process accepts nothing more, and should drain and end.
    public static var tookOver: Self { Self(description: "tookOver") }
    /// The successor ended or withdrew before it had taken over; this process serves on.
    ///
    /// With a reason.
    public static var successorFailed: Self { Self(description: "successorFailed") }
    /// The successor was given up; this process serves on.
    ///
    /// With a reason.
    public static var successorGivenUp: Self { Self(description: "successorGivenUp") }
    /// The successor was given up, did not let go of what it was given, and was killed.
    public static var successorKilled: Self { Self(description: "successorKilled") }
    /// The process that had taken over has ended.
    public static var successorEnded: Self { Self(description: "successorEnded") }
    /// A restart was asked for while one was going on, and became part of it.
    ///
    /// With a reason.
    public static var restartJoined: Self { Self(description: "restartJoined") }
    /// The successor that this process started did not come to the point of taking over; this process serves on.
    ///
    /// With a reason.
    public static var restartFailed: Self { Self(description: "restartFailed") }
    /// A process connected and was refused.
    ///
    /// Its number is 0 where the system does not tell it. With a reason.
    public static var peerRefused: Self { Self(description: "peerRefused") }
    /// This process waits for the handover socket.
    ///
    /// With a reason.
    public static var waiting: Self { Self(description: "waiting") }
    /// This process owns the listeners now.
    public static var owning: Self { Self(description: "owning") }
    /// Descriptors of these names were inherited, and the program asked for none of them: they are closed (H7).
    public static var unclaimed: Self { Self(description: "unclaimed") }
    /// The process that served before has ended.
    public static var predecessorEnded: Self { Self(description: "predecessorEnded") }
    /// The handover socket's path had gone, and was made anew: a cleaner of `/tmp` had removed it, for example.
    ///
    /// With a reason.
    public static var socketMadeAnew: Self { Self(description: "socketMadeAnew") }
    /// The handover socket's path has gone, and cannot be made anew now; it is tried again.
    ///
    /// Meanwhile no successor that another process starts, and no command, finds this process. With a reason.
    public static var socketLost: Self { Self(description: "socketLost") }
    /// Something happened that changes nothing.
    ///
    /// With a reason.
    public static var ignored: Self { Self(description: "ignored") }
  }

  /// What the modules of this package switch over.
  package enum Detail: Equatable, Sendable {
    case offering(process: Int32, program: String)
    case committing(process: Int32)
    case tookOver(process: Int32)
    case successorFailed(process: Int32, reason: String)
    case successorGivenUp(process: Int32, reason: String)
    case successorKilled(process: Int32)
    case successorEnded(process: Int32)
    case restartJoined(reason: String)
    case restartFailed(reason: String)
    case peerRefused(process: Int32, reason: String)
    case waiting(reason: String)
    case owning(predecessorDied: Bool)
    case unclaimed([String])
    case predecessorEnded(process: Int32)
    case socketMadeAnew(String)
    case socketLost(String)
    case ignored(String)
  }

  package let detail: Detail

  package init(_ detail: Detail) { self.detail = detail }

  /// What happened.
  public var kind: Kind {
    switch detail {
    case .offering: .offering
    case .committing: .committing
    case .tookOver: .tookOver
    case .successorFailed: .successorFailed
    case .successorGivenUp: .successorGivenUp
    case .successorKilled: .successorKilled
    case .successorEnded: .successorEnded
    case .restartJoined: .restartJoined
    case .restartFailed: .restartFailed
    case .peerRefused: .peerRefused
    case .waiting: .waiting
    case .owning: .owning
    case .unclaimed: .unclaimed
    case .predecessorEnded: .predecessorEnded
    case .socketMadeAnew: .socketMadeAnew
    case .socketLost: .socketLost
    case .ignored: .ignored
    }
  }

  /// The other process, where there is one: the successor, the predecessor or a peer.
  public var process: Int32? {
    switch detail {
    case .offering(let process, _), .committing(let process), .tookOver(let process), .successorFailed(let process, _),
      .successorGivenUp(let process, _), .successorKilled(let process), .successorEnded(let process),
      .peerRefused(let process, _), .predecessorEnded(let process):
      process
    case .restartJoined, .restartFailed, .waiting, .owning, .unclaimed, .socketMadeAnew, .socketLost, .ignored: nil
    }
  }

  /// Why, in words for a log.
  public var reason: String? {
    switch detail {
    case .successorFailed(_, let reason), .successorGivenUp(_, let reason), .restartJoined(let reason),
      .restartFailed(let reason), .peerRefused(_, let reason), .waiting(let reason), .socketMadeAnew(let reason),
      .socketLost(let reason),
      .ignored(let reason):
      reason
    case .offering, .committing, .tookOver, .successorKilled, .successorEnded, .owning, .unclaimed, .predecessorEnded:
      nil
    }
  }

  /// What the successor says that it is (``Handover/Configuration/program``); only with ``Kind/offering``.
  public var program: String? { if case .offering(_, let program) = detail { program } else { nil } }

  /// The names of the descriptors; only with ``Kind/unclaimed``.
  public var names: [String] { if case .unclaimed(let names) = detail { names } else { [] } }

  /// Whether this process owns the listeners because its predecessor has died; only with ``Kind/owning``.
  public var predecessorDied: Bool { detail == .owning(predecessorDied: true) }
}

// As the handover says it.
extension HandoverEvent {
  static func offering(process: Int32, program: String) -> Self { Self(.offering(process: process, program: program)) }
  static func committing(process: Int32) -> Self { Self(.committing(process: process)) }
  package static func tookOver(process: Int32) -> Self { Self(.tookOver(process: process)) }
  static func successorFailed(process: Int32, reason: String) -> Self {
    Self(.successorFailed(process: process, reason: reason))
  }
  static func successorGivenUp(process: Int32, reason: String) -> Self {
    Self(.successorGivenUp(process: process, reason: reason))
  }
  static func successorKilled(process: Int32) -> Self { Self(.successorKilled(process: process)) }
  static func successorEnded(process: Int32) -> Self { Self(.successorEnded(process: process)) }
  static func restartJoined(reason: String) -> Self { Self(.restartJoined(reason: reason)) }
  package static func restartFailed(reason: String) -> Self { Self(.restartFailed(reason: reason)) }
  static func peerRefused(process: Int32, reason: String) -> Self {
    Self(.peerRefused(process: process, reason: reason))
  }
  static func waiting(reason: String) -> Self { Self(.waiting(reason: reason)) }
  static func owning(predecessorDied: Bool) -> Self { Self(.owning(predecessorDied: predecessorDied)) }
  static func unclaimed(_ names: [String]) -> Self { Self(.unclaimed(names)) }
  static func predecessorEnded(process: Int32) -> Self { Self(.predecessorEnded(process: process)) }
  static func socketMadeAnew(_ reason: String) -> Self { Self(.socketMadeAnew(reason)) }
  static func socketLost(_ reason: String) -> Self { Self(.socketLost(reason)) }
  static func ignored(_ reason: String) -> Self { Self(.ignored(reason)) }
}
