internal import NIOCore
internal import NIOPosix
internal import SystemPackage

extension RequestStateMachine.ConnectFailure {
  /// What our own machine refuses says nothing about the server: ports, descriptors, memory that it has not.
  static func from(_ error: any Error) -> Self {
    if case ChannelError.connectTimeout = error { return .timedOut }
    if let failed = error as? NIOConnectionError, let inner = failed.connectionErrors.first?.error {
      return from(inner)
    }
    // What connect(2) does not answer, our own side has said: an option that could not be set, a loop that is gone.
    guard let errno = (error as? IOError)?.errnoCode else { return .ownMachine(errno: Errno.ioError.rawValue) }
    return from(Errno(rawValue: errno))
  }

  static func from(_ errno: Errno) -> Self {
    switch errno {
    case .connectionRefused, .noRouteToHost, .networkUnreachable, .networkDown, .hostIsDown: .refused
    case .connectionReset, .brokenPipe, .connectionAbort: .reset
    case .timedOut: .timedOut
    default: .ownMachine(errno: errno.rawValue)
    }
  }
}
