/// Where the load goes: plain HTTP, a host, a port, a path.
public struct TargetURL: Hashable, Sendable, CustomStringConvertible {
  /// A name or an address; IPv6 without its brackets.
  public var host: String
  /// The port; 80 when the text names none.
  public var port: Int
  /// The path with its query; `/` when the text names none.
  public var path: String

  /// Reads `http://host[:port][/path]`; `nil` for anything else, `https` included.
  public init?(_ text: String) {
    guard text.hasPrefix("http://") else { return nil }
    let rest = text.dropFirst(7)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let path = rest.dropFirst(authority.count).prefix { $0 != "#" }
    self.path = path.hasPrefix("/") ? String(path) : "/\(path)"
    guard self.path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }), !authority.contains("@") else { return nil }
    let portText: Substring?
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else { return nil }
      self.host = String(authority[authority.index(after: authority.startIndex)..<close])
      let after = authority[authority.index(after: close)...]
      guard after.isEmpty || after.hasPrefix(":") else { return nil }
      portText = after.isEmpty ? nil : after.dropFirst()
    } else {
      let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
      guard parts.count <= 2 else { return nil }
      self.host = String(parts[0])
      portText = parts.count == 2 ? parts[1] : nil
    }
    guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    guard let portText else {
      self.port = 80
      return
    }
    guard let port = UInt16(portText), port > 0, portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return nil
    }
    self.port = Int(port)
  }

  /// Where a redirect leads: a URL, or a path of this server; `nil` for anything else.
  func redirected(to location: String) -> TargetURL? {
    guard location.hasPrefix("/"), !location.hasPrefix("//") else { return TargetURL(location) }
    return TargetURL("http://\(authority)\(location)")
  }

  /// What goes into the `Host` header.
  public var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// As it was written, with its port.
  public var description: String { "http://\(authority)\(path)" }
}
