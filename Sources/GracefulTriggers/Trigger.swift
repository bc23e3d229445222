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
  private let start: @Sendable (StopTarget) throws(TriggerError) -> Listening

  /// A trigger of your own.
  /// - Parameters:
  ///   - name: What it is, for error messages.
  ///   - listen: Starts to listen, and returns how to stop that. It must not wait.
  public init(_ name: String, listen: @escaping @Sendable (@escaping Ask) throws(TriggerError) -> Leave) {
    self.name = name
    start = { target throws(TriggerError) in Listening(leave: try listen(target.ask)) }
  }

  /// A trigger that answers: it looks at what it stops, and hears how that ended.
  package init(_ name: String, attach: @escaping @Sendable (StopTarget) throws(TriggerError) -> Listening) {
    self.name = name
    start = attach
  }

  /// Starts to listen, without a lifecycle.
  /// - Returns: What stops it again.
  /// - Throws: When it cannot listen.
  public func listen(_ ask: @escaping Ask) throws(TriggerError) -> Leave { try start(StopTarget(ask: ask)).leave }

  /// Starts to listen for a lifecycle.
  package func attach(to target: StopTarget) throws(TriggerError) -> Listening { try start(target) }
}

/// What a trigger stops, and what it may see of it.
package struct StopTarget: Sendable {
  /// Asks for the stop; returns at once.
  package let ask: Trigger.Ask
  /// `nil` where there is no lifecycle.
  package let lifecycle: Lifecycle?

  package init(ask: @escaping Trigger.Ask, lifecycle: Lifecycle? = nil) {
    self.ask = ask
    self.lifecycle = lifecycle
  }
}

/// A trigger that listens.
package struct Listening: Sendable {
  package let leave: Trigger.Leave
  /// Said with the report, when everything has ended and before the process exits.
  package let exitHooks: [ExitHook]

  package init(leave: @escaping Trigger.Leave, exitHooks: [ExitHook] = []) {
    self.leave = leave
    self.exitHooks = exitHooks
  }
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
