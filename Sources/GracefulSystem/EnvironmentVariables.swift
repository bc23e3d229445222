internal import CGracefulSystem

/// The environment of this process (environ(7)).
///
/// Where another thread may be changing it (setenv(3)), reading it is not safe: ask early, and keep the answer.
package enum EnvironmentVariables {
  private typealias Bytes = Slice<UnsafeBufferPointer<UInt8>>

  /// All of them as text; of two that have one name, the first, as getenv(3) sees it.
  ///
  /// Bytes that are not UTF-8 are replaced.
  package static var all: [String: String] {
    var all: [String: String] = [:]
    _ = first { name, value in
      let name = String(decoding: name, as: UTF8.self)
      if all[name] == nil { all[name] = String(decoding: value, as: UTF8.self) }
      return false
    }
    return all
  }

  /// The value as text, with bytes that are not UTF-8 replaced; `nil` when there is no such variable.
  package static func value(of name: String) -> String? { bytes(of: name).map { String(decoding: $0, as: UTF8.self) } }

  /// The value byte by byte, as a path is: it need not be UTF-8.
  package static func bytes(of name: String) -> [UInt8]? {
    first { found, _ in found.elementsEqual(name.utf8) }.map(Array.init)
  }

  /// - Returns: The value of the first variable that is wanted.
  private static func first(_ isWanted: (_ name: Bytes, _ value: Bytes) -> Bool) -> Bytes? {
    var entries = cgs_environment()
    while let entry = entries?.pointee {
      var length = 0
      while entry[length] != 0 { length += 1 }
      let text = UnsafeRawBufferPointer(start: entry, count: length).bindMemory(to: UInt8.self)
      if let equals = text.firstIndex(of: UInt8(ascii: "=")) {
        let value = text[(equals + 1)...]
        if isWanted(text[..<equals], value) { return value }
      }
      entries = entries?.successor()
    }
    return nil
  }
}
