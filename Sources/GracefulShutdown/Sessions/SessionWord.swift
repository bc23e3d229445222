/// What one stripe of a gate knows of its sessions, in one word, so that one atomic operation decides and counts.
///
///     bit 0 closed │ bits 1…31 live │ bits 32…63 admitted, wrapping
package struct SessionWord: Hashable, Sendable {
  package static let closedBit: UInt64 = 1
  package static let oneLive: UInt64 = 1 << 1
  package static let oneAdmitted: UInt64 = 1 << 32
  private static let half: UInt64 = 0xFFFF_FFFF
  /// More than 2^30 live in one stripe: the next one goes elsewhere, so that the count never runs into the bits above.
  private static let fullBit: UInt64 = 1 << 31

  package var raw: UInt64

  package init(raw: UInt64 = 0) { self.raw = raw }

  package var isClosed: Bool { raw & Self.closedBit != 0 }
  package var live: Int { Int((raw & Self.half) >> 1) }
  package var admitted: UInt64 { raw >> 32 }
  /// Whether the next admission wraps the count of admitted.
  package var isAboutToWrap: Bool { admitted == Self.half }

  /// With one more that comes from outside; `nil` when it is refused.
  package var admitting: SessionWord? {
    raw & (Self.closedBit | Self.fullBit) == 0 ? SessionWord(raw: raw &+ (Self.oneAdmitted | Self.oneLive)) : nil
  }

  /// With one more that something inside opens: closed or not, as long as anything is inside.
  ///
  /// A stripe that is closed and empty has been counted down; nothing may come to life in it again.
  package var admittingInside: SessionWord? {
    canAdmitInside ? SessionWord(raw: raw &+ (Self.oneAdmitted | Self.oneLive)) : nil
  }

  /// With one more child phase from outside: live, but no session.
  package var entering: SessionWord? {
    raw & (Self.closedBit | Self.fullBit) == 0 ? SessionWord(raw: raw &+ Self.oneLive) : nil
  }

  /// With one more child phase that something inside opens.
  package var enteringInside: SessionWord? { canAdmitInside ? SessionWord(raw: raw &+ Self.oneLive) : nil }

  /// Up to twice what comes from outside finds room: what is inside is not turned away.
  private var canAdmitInside: Bool { live > 0 && live < Int(Self.half >> 1) }

  package var closing: SessionWord { SessionWord(raw: raw | Self.closedBit) }
  package var ending: SessionWord { SessionWord(raw: raw &- Self.oneLive) }

  /// Whether the session that ends now is the last of a closed stripe.
  ///
  /// True once at most: after it nothing is live, and a closed stripe without anything live admits nothing.
  package var endsTheLast: Bool { raw & Self.half == Self.oneLive | Self.closedBit }
}
