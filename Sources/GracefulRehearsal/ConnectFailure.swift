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
    guard let errno = (error as? IOError)?.errnoCode else { return .refused }
    return from(Errno(rawValue: errno))
  }

  static func from(_ errno: Errno) -> Self {
    switch errno {
    case .addressNotAvailable, .addressInUse, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noBufferSpace, .noMemory,
      .permissionDenied, .notPermitted:
      .ownMachine(errno: errno.rawValue)
    case .connectionReset, .brokenPipe, .connectionAbort: .reset
    case .timedOut: .timedOut
    default: .refused
    }
  }
}
