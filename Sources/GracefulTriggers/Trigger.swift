public import GracefulShutdown

/// Where stop requests come from.
///
/// Several can be used at once; the first request wins, and the report says which.
public struct Trigger: Sendable {
  /// Asks for the stop.
  ///
  /// From any thread, any number of times; it returns at once.
  public typealias Ask = @Sendable (StopRequest) -> Void
  /// Stops listening.
  public typealias Leave = @Sendable () -> Void

  /// What it is, for error messages.
  public let name: String
  private let start: @Sendable (@escaping Ask) throws(TriggerError) -> Leave

  /// A trigger of your own.
  /// - Parameters:
  ///   - name: What it is, for error messages.
  ///   - listen: Starts to listen, and returns how to stop that. It must not wait.
  public init(_ name: String, listen: @escaping @Sendable (@escaping Ask) throws(TriggerError) -> Leave) {
    self.name = name
    start = listen
  }

  /// Starts to listen, without a lifecycle or for one.
  /// - Returns: What stops it again.
  /// - Throws: When it cannot listen.
  public func listen(_ ask: @escaping Ask) throws(TriggerError) -> Leave { try start(ask) }
}

/// A trigger that cannot listen.
public struct TriggerError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Which trigger.
  public var trigger: String
  /// Why, and what to do.
  public var reason: String

  /// Makes an error.
  public init(trigger: String, reason: String) {
    self.trigger = trigger
    self.reason = reason
  }

  /// One sentence.
  public var description: String { "trigger \(trigger): \(reason)" }
}
