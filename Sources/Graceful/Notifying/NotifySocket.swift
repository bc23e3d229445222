internal import CGracefulSystem
internal import GracefulDescriptors
internal import SystemPackage

/// Where systemd listens, and how it is told something: one datagram a message (sd_notify(3)).
struct NotifySocket: Sendable {
  static let variable = "NOTIFY_SOCKET"

  enum Outcome: Equatable, Sendable {
    case sent
    /// Its queue is full: later perhaps.
    case full
    case failed(SystemError)
  }

  /// As it was given.
  let name: String
  /// A path; or an abstract name, with the zero byte before it.
  private let address: [UInt8]

  /// - Throws: What is wrong with the address, and what to do.
  init(_ name: String) throws(SystemError) {
    self.name = name
    address = name.hasPrefix("@") ? [0] + Array(name.utf8.dropFirst()) : Array(name.utf8)
    guard name.hasPrefix("/") || name.hasPrefix("@"), name.utf8.count > 1 else {
      throw SystemError(
        operation: Self.variable, subject: name, errno: .addressFamilyNotSupported,
        advice: "it must be an absolute path, or begin with @; nothing is said to the service manager")
    }
    guard address.count <= cgs_unix_path_limit() else {
      throw SystemError(
        operation: Self.variable, subject: name, errno: .fileNameTooLong,
        advice: "a path of a Unix socket has at most \(cgs_unix_path_limit()) bytes")
    }
  }

  /// Never waits.
  func send(_ text: String) -> Outcome {
    // One for each: it is not kept open, and a child that is started meanwhile inherits nothing.
    let socket = cgs_unix_datagram_socket()
    guard socket >= 0 else { return .failed(SystemError("socket", on: name, result: socket)) }
    defer { _ = cgs_close(socket) }
    let bytes = Array(text.utf8)
    let result = address.withUnsafeBytes { address in
      cgs_unix_datagram_send(
        socket, address.baseAddress?.assumingMemoryBound(to: CChar.self), address.count, bytes, bytes.count)
    }
    if result >= 0 { return .sent }
    switch Errno(rawValue: Int32(clamping: -result)) {
    case .wouldBlock, .resourceTemporarilyUnavailable, .noBufferSpace, .interrupted: return .full
    case let errno:
      return .failed(
        SystemError(
          operation: "sendto", subject: name, errno: errno,
          advice: "the service manager does not listen there; nothing more depends on it"))
    }
  }
}
