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

/// The secret for the endpoint.
enum TokenOption {
  static let variable = "GRACEFUL_TOKEN"

  /// - Parameter file: `nil` takes what the environment says, if anything.
  static func token(file: String?) throws(CommandFailure) -> String? {
    guard let file else {
      let value = ProcessInfo.processInfo.environment[variable]
      return value.flatMap { $0.isEmpty ? nil : $0 }
    }
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: file)) } catch {
      throw .usage("--token-file \(file): \(error.localizedDescription)")
    }
    let token = String(decoding: data.prefix(4096), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    guard !token.isEmpty, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw .usage("--token-file \(file): there is no token in it: printable ASCII, without blanks")
    }
    return token
  }
}

extension StopTargetOptions {
  func token() throws(CommandFailure) -> String? { try TokenOption.token(file: tokenFile) }
}
