/// What a client at the control socket asks of a program: one request a connection.
///
/// ```
/// client                             program
///   preamble (purpose 2) ----------->          credentials of the peer are checked first
///            <----------------------- preamble, serving
///   one request ---------------------->
///            <----------------------- answers, the last of them final
///   closes
/// ```
/// The frames are those of the handover; the types from 64 on are the control socket's.
package enum ControlRequest: Hashable, Sendable {
  /// Where everything is, once, or again and again.
  case status(every: Duration?)
  case stop(Stop)
  /// A handover to a successor that the program starts itself.
  case restart
  case plan

  /// How to stop.
  package struct Stop: Hashable, Sendable {
    /// Answer when it has stopped, and not when it has heard of it.
    package var waits: Bool
    /// Say where everything is, so often, until then.
    package var progress: Duration?
    /// Cancel at once, in order, instead of draining.
    package var now: Bool
    /// In words, for the report and the log.
    package var why: String

    package init(waits: Bool = true, progress: Duration? = nil, now: Bool = false, why: String = "") {
      self.waits = waits
      self.progress = progress
      self.now = now
      self.why = why
    }
  }
}

extension ControlRequest {
  private enum Kind: UInt16 {
    case status = 64
    case stop = 65
    case restart = 66
    case plan = 67
  }

  private static let (waits, now): (UInt8, UInt8) = (1, 2)

  /// The type of its frame, and what is in that.
  package var frame: (type: UInt16, payload: [UInt8]) {
    var bytes = ControlBytes()
    switch self {
    case .status(let every):
      bytes.add(every)
      return (Kind.status.rawValue, bytes.all)
    case .stop(let stop):
      bytes.add((stop.waits ? Self.waits : 0) | (stop.now ? Self.now : 0))
      bytes.add(stop.progress)
      bytes.add(stop.why)
      return (Kind.stop.rawValue, bytes.all)
    case .restart: return (Kind.restart.rawValue, [])
    case .plan: return (Kind.plan.rawValue, [])
    }
  }

  /// What a frame asks for.
  /// - Throws: When nothing of the kind is known, or it is not written as its kind is.
  package init(type: UInt16, payload: [UInt8]) throws(ControlFrameError) {
    guard let kind = Kind(rawValue: type) else { throw .unknown(type: type) }
    var bytes = ByteReader(payload)
    let request: ControlRequest?
    switch kind {
    case .status: request = bytes.interval().map { .status(every: $0) }
    case .stop:
      if let flags = bytes.number(UInt8.self), flags & ~(Self.waits | Self.now) == 0, let progress = bytes.interval(),
        let why = bytes.text()
      {
        request = .stop(
          Stop(waits: flags & Self.waits != 0, progress: progress, now: flags & Self.now != 0, why: why))
      } else {
        request = nil
      }
    case .restart: request = .restart
    case .plan: request = .plan
    }
    guard let request, bytes.isAtEnd else { throw .malformed(type: type) }
    self = request
  }
}

/// A frame of the control socket that says nothing.
package enum ControlFrameError: Error, Equatable, Sendable {
  case unknown(type: UInt16)
  case malformed(type: UInt16)
}
