/// A descriptor with several holders; the last holder that lets go closes it.
///
/// For tables and queues: a message that waits to be sent holds the descriptors in it, so that none is closed between
/// the queueing and the sending.
package final class SharedDescriptor: Sendable {
  package let owned: OwnedDescriptor

  package init(_ owned: consuming OwnedDescriptor) {
    self.owned = owned
  }

  package var number: Int32 { owned.number }
}
