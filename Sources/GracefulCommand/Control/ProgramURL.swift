internal import Foundation
internal import GracefulDescriptors
internal import SystemPackage

/// Where a program serves its HTTP endpoint: `http://127.0.0.1:8081`, `http://[::1]:8081/shutdown`, `unix:/path`.
struct ProgramURL: Equatable, CustomStringConvertible {
  enum Address: Equatable {
    case internet(host: String, port: Int)
    case unix(String)
  }

  var address: Address
  /// Empty, unless it was named: then it is asked for instead of the usual one.
  var path: String
  var description: String

  init(_ text: String) throws(CommandFailure) {
    description = text
    if text.hasPrefix("unix:") {
      var socket = String(text.dropFirst(5))
      // `unix:///path` is written as well.
      if socket.hasPrefix("///") { socket = String(socket.dropFirst(2)) }
      do { _ = try SocketPath(socket) } catch { throw .usage("\(error)") }
      address = .unix(socket)
      path = ""
      return
    }
    guard let parts = URLComponents(string: text), parts.scheme?.lowercased() == "http", let host = parts.host,
      !host.isEmpty, parts.user == nil, parts.query == nil, parts.fragment == nil
    else {
      throw .usage("--url takes http://HOST:PORT, with a path or without, or unix:/path/of/socket, and not '\(text)'")
    }
    address = .internet(host: host.filter { $0 != "[" && $0 != "]" }, port: parts.port ?? 80)
    path = parts.percentEncodedPath == "/" ? "" : parts.percentEncodedPath
  }

  /// For the `Host` field.
  var authority: String {
    switch address {
    case .internet(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix: "localhost"
    }
  }
}
