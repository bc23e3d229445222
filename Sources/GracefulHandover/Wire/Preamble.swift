internal import GracefulSystem

/// The first bytes that each side sends, so that the protocol has a version from the first byte on (H6).
///
/// ```
///  0        8         10        12            16
///  +--------+---------+---------+-------------+----------------+
///  |GRACEFUL| version | purpose | text length | text (UTF-8)   |
///  +--------+---------+---------+-------------+----------------+
/// ```
/// Numbers are in network byte order. The text is the name of the program; it is for people.
package struct Preamble: Equatable, Sendable {
  /// The version of the protocol that this code speaks.
  package static let currentVersion: UInt16 = 1
  package static let magic: [UInt8] = Array("GRACEFUL".utf8)
  package static let headerLength = 16
  /// The longest text that is taken.
  package static let textLimit = 256

  package var version: UInt16
  package var purpose: Purpose
  package var program: String

  /// What a connection is for.
  ///
  /// Numbers that are not known are kept, so that they can be answered.
  package struct Purpose: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// To take over what this process serves.
    package static let handover = Purpose(rawValue: 1)
    /// To ask for a stop, a restart or the state.
    package static let control = Purpose(rawValue: 2)
  }

  package init(version: UInt16 = currentVersion, purpose: Purpose, program: String) {
    self.version = version
    self.purpose = purpose
    self.program = program
  }

  package var encoded: [UInt8] {
    let text = program.bytes(atMost: Self.textLimit)
    var bytes = Self.magic
    bytes.appendNumber(version)
    bytes.appendNumber(purpose.rawValue)
    bytes.appendNumber(UInt32(text.count))
    bytes += text
    return bytes
  }
}
