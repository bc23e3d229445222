internal import CGracefulSystem
package import GracefulSystem

/// What kind of socket a descriptor is.
///
/// A peer that passes one says what it is for, and not what it is: that is looked at when it is taken.
package struct SocketKind: Hashable, Sendable {
  package enum Family: Hashable, Sendable { case unix, other }

  package var family: Family
  /// `SOCK_STREAM`, as TCP has it; UDP has not.
  package var isStream: Bool
  package var isListening: Bool

  package init(_ family: Family, isStream: Bool, isListening: Bool) {
    self.family = family
    self.isStream = isStream
    self.isListening = isListening
  }

  /// - Throws: `ENOTSOCK` for what is no socket: a pipe, a file, a device.
  package init(of descriptor: Int32) throws(SystemError) {
    var family: Int32 = 0
    var type: Int32 = 0
    let result = cgs_socket_kind(descriptor, &family, &type)
    guard result >= 0 else {
      throw SystemError("getsockopt(SO_TYPE)", on: "descriptor \(descriptor)", result: result)
    }
    self.init(
      family == cgs_family_unix() ? .unix : .other, isStream: type == cgs_type_stream(),
      isListening: cgs_is_listening(descriptor) == 1)
  }
}
