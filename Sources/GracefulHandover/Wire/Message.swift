/// What predecessor and successor say to each other, in the order in which it is said.
///
/// ```
/// successor                          predecessor
///   preamble ----------------------->            credentials of the peer are checked first
///            <----------------------- preamble, welcome
///            <----------------------- descriptors (any number of times), offered
///   ready    ----------------------->            still accepts
///            <----------------------- commit     still accepts; from here on, no side gives up by time alone
///   acknowledge -------------------->            stops accepting
///            <----------------------- released
///   accepts                                      drains; the connection stays open until it ends
/// ```
package enum Message: Equatable, Sendable {
  case refused(Refusal, String)
  case welcome(process: UInt32, generation: UInt32, descriptors: UInt32)
  /// As many descriptors come with it as it has labels, in the same order.
  case descriptors([DescriptorLabel])
  case offered
  case ready
  case commit
  case acknowledge
  case released
  case abort(String)
  /// The answer to a frame whose type is not known.
  case unknown(type: UInt16)

  /// Why no handover begins.
  package struct Refusal: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    /// It has not said itself that it is ready; ask again.
    package static let starting = Refusal(rawValue: 1)
    /// Another handover is going on.
    package static let busy = Refusal(rawValue: 2)
    /// It is about to end; wait for that, and start as the first.
    package static let stopping = Refusal(rawValue: 3)
    package static let unknownVersion = Refusal(rawValue: 4)
    package static let unknownPurpose = Refusal(rawValue: 5)
    package static let notAllowed = Refusal(rawValue: 6)
    package static let malformed = Refusal(rawValue: 7)
  }
}

/// What goes with a descriptor: its name, and bytes that only the program understands.
public struct DescriptorLabel: Hashable, Sendable {
  /// At most 255 bytes of UTF-8.
  public var name: String
  /// At most 4096 bytes.
  public var metadata: [UInt8]

  package static let nameLimit = 255
  package static let metadataLimit = 4096

  /// Makes a label.
  public init(name: String, metadata: [UInt8] = []) {
    self.name = name
    self.metadata = metadata
  }
}
