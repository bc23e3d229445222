/// How a phase ended.
public struct PhaseEnd: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    case drained
    case endedByItself
    case cancelled(error: String?)
    case abandoned
    case failed(String)
    case neverStarted
  }

  package let kind: Kind

  /// It ended after it had been told to.
  public static var drained: Self { Self(kind: .drained) }
  /// It returned before a stop was requested, and thereby requested one.
  ///
  /// No failure.
  public static var endedByItself: Self { Self(kind: .endedByItself) }
  /// It ended after it had been cancelled: its deadline had come, or a request was urgent.
  public static var cancelled: Self { Self(kind: .cancelled(error: nil)) }
  /// It had not ended when there was no time left to wait for it.
  ///
  /// It may still be running.
  public static var abandoned: Self { Self(kind: .abandoned) }
  /// It threw: before the stop, or while draining.
  public static func failed(_ error: String) -> Self { Self(kind: .failed(error)) }
  /// Its turn to start never came.
  public static var neverStarted: Self { Self(kind: .neverStarted) }

  package static func cancelled(error: String?) -> Self { Self(kind: .cancelled(error: error)) }

  /// Whether it was cancelled, with or without an error afterwards.
  public var isCancelled: Bool {
    if case .cancelled = kind { true } else { false }
  }

  /// Whether it failed.
  public var isFailed: Bool {
    if case .failed = kind { true } else { false }
  }

  /// Whether it had not ended when its deadline came.
  public var isStraggler: Bool { isCancelled || self == .abandoned }

  /// What it threw: when it failed, or after it had been cancelled (a `CancellationError` is not kept, it is no news).
  public var error: String? {
    switch kind {
    case .failed(let error): error
    case .cancelled(let error): error
    case .drained, .endedByItself, .abandoned, .neverStarted: nil
    }
  }

  /// One or two words, without the error.
  public var description: String {
    switch kind {
    case .drained: "drained"
    case .endedByItself: "ended by itself"
    case .cancelled: "cancelled"
    case .abandoned: "abandoned"
    case .failed: "failed"
    case .neverStarted: "never started"
    }
  }
}
