internal import CGracefulSystem
public import GracefulSystem
internal import SystemPackage

/// A numeric address and a port to listen on: `127.0.0.1:8080`, `[::1]:8080`.
public struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// How many connections may wait to be accepted; the system clips it to its own limit (`net.core.somaxconn`).
  package static let backlog: Int32 = 4096

  /// An IPv4 or IPv6 address in numbers; names are not resolved, because what they mean can change between two
  /// generations of a program.
  public var host: String
  /// 0 lets the system choose.
  public var port: UInt16

  /// Makes an address; whether `host` is one is found out when it is bound.
  public init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// Reads `HOST:PORT`; an IPv6 host stands in brackets (RFC 3986 §3.2.2).
  /// - Returns: nil when the text is no such pair.
  public init?(_ text: some StringProtocol) {
    guard let colon = text.lastIndex(of: ":") else { return nil }
    let digits = text[text.index(after: colon)...]
    guard digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let port = UInt16(digits)
    else { return nil }
    var host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = host.dropFirst().dropLast()
      guard host.contains(":") else { return nil }
    } else if host.contains(":") {
      return nil
    }
    guard let canonical = Self.canonical(String(host)) else { return nil }
    self.init(host: canonical, port: port)
  }

  /// The one spelling of an address (RFC 5952).
  private static func canonical(_ host: String) -> String? {
    // The system would read up to a zero and take what it found.
    guard !host.utf8.contains(0) else { return nil }
    var canonical = [CChar](repeating: 0, count: 64)
    guard cgs_canonical_address(host, &canonical, canonical.count) >= 0 else { return nil }
    return String(zeroTerminated: canonical)
  }

  /// As it is written in a URL.
  public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The address that a TCP socket is bound to.
  /// - Throws: when the descriptor is no IPv4 or IPv6 socket.
  public init(of descriptor: borrowing OwnedDescriptor) throws(SystemError) {
    var text = [CChar](repeating: 0, count: 64)
    var port: UInt16 = 0
    let result = cgs_local_address(descriptor.number, &text, text.count, &port)
    guard result >= 0 else {
      throw SystemError("getsockname", on: "descriptor \(descriptor.number)", result: result)
    }
    self.init(host: String(zeroTerminated: text), port: port)
  }

  /// Whether a socket bound to `other` is what was asked for with this address: the port 0 asks for any.
  public func isSatisfied(by other: ListenAddress) -> Bool {
    (Self.canonical(host) ?? host) == (Self.canonical(other.host) ?? other.host) && (port == 0 || port == other.port)
  }

  /// A new socket, bound to this address and listening, non-blocking, closed on exec, with `SO_REUSEADDR`.
  ///
  /// The backlog is 4096, which the system clips to its own limit (`net.core.somaxconn`).
  /// - Throws: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL`, each with what to do.
  public func listen() throws(SystemError) -> OwnedDescriptor {
    try listen(calls: .live)
  }

  /// A socket of this address whose listening another process has ended (shutdown(2)) listens again.
  ///
  /// It is the same socket for every process that has it.
  /// - Throws: when the port has become another's meanwhile.
  package func listenAgain(_ descriptor: Int32) throws(SystemError) {
    let result = cgs_tcp_listen_again(descriptor, host, port, Self.backlog)
    guard result >= 0 else {
      throw SystemError("listen", on: "\(self)", result: result, advice: "its listening was ended by another process")
    }
    _ = cgs_keep_nonblocking(descriptor)
  }

  package func listen(calls: SocketCalls) throws(SystemError) -> OwnedDescriptor {
    let result = calls.listenTCP(host, port)
    guard result >= 0 else {
      let errno = Errno(rawValue: -result)
      let advice =
        switch errno {
        case .addressInUse:
          "another process listens there: stop it, choose another port, or give both the same handover socket"
        case .permissionDenied: "ports below 1024 need a privilege (CAP_NET_BIND_SERVICE): choose another port"
        case .addressNotAvailable: "no interface of this machine has that address"
        case .invalidArgument: "the host must be an IPv4 or IPv6 address in numbers; names are not resolved"
        default: ""
        }
      throw SystemError(operation: "bind", subject: "\(self)", errno: errno, advice: advice)
    }
    return OwnedDescriptor(adopting: FileDescriptor(rawValue: result))
  }
}

extension String {
  fileprivate init(zeroTerminated text: [CChar]) {
    self.init(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
