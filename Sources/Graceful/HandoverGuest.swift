package import GracefulHandover

/// What goes along with a handover of the lifecycle, beside what its phase has: a trigger's listener.
///
/// It is found through the lifecycle's ``Succession``.
package protocol HandoverGuest: Sendable {
  /// A part is taken in a handover: time to claim what the predecessor has left, and to offer what there is.
  func joined(_ handover: Handover)
}
