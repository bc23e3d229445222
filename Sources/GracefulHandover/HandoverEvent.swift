/// What happens in a handover, for logs and triggers.
public enum HandoverEvent: Equatable, Sendable {
  /// A successor has connected and was sent what this process has.
  case offering(process: Int32, program: String)
  /// It is ready; the commit was sent, and this process accepts on until it is acknowledged.
  case committing(process: Int32)
  /// It has taken over; this process accepts nothing more, and should drain and end.
  case tookOver(process: Int32)
  /// It ended or withdrew before it had taken over; this process serves on.
  case successorFailed(process: Int32, reason: String)
  /// It was given up; this process serves on.
  case successorGivenUp(process: Int32, reason: String)
  /// It was given up, did not let go of what it was given, and was killed.
  case successorKilled(process: Int32)
  /// The process that had taken over has ended.
  case successorEnded(process: Int32)
  /// A restart was asked for while one was going on, and became part of it.
  case restartJoined(reason: String)
  /// The successor that this process started did not come to the point of taking over; this process serves on.
  case restartFailed(reason: String)
  /// A peer connected and was refused. The process is 0 where the system does not tell it.
  case peerRefused(process: Int32, reason: String)
  /// This process waits for the handover socket, because of this.
  case waiting(reason: String)
  /// This process owns the listeners now.
  case owning(predecessorDied: Bool)
  /// Descriptors of these names were inherited, and not asked for: they are closed (H7).
  case unclaimed([String])
  /// The process that served before has ended.
  case predecessorEnded(process: Int32)
  /// Something happened that changes nothing.
  case ignored(String)
}
