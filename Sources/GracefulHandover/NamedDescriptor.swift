internal import GracefulDescriptors

/// A descriptor that passes from one generation to the next, with what is said about it.
struct NamedDescriptor: Sendable {
  var label: DescriptorLabel
  var descriptor: SharedDescriptor
}
