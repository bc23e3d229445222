package import GracefulHandover
package import GracefulShutdown
internal import Synchronization

/// What goes along with the handovers of a lifecycle, beside what its phase has: a trigger's listener.
package protocol HandoverCompanion: Sendable {
  /// This process takes part: time to claim what the predecessor has left, and to offer what there is.
  func joined(_ handover: Handover)
}

/// The companions of each lifecycle.
///
/// Here, and not with the lifecycle: that knows nothing of handovers.
package enum HandoverCompanions {
  private struct Entry: Sendable {
    var isOf: @Sendable (Succession) -> Bool
    var companion: any HandoverCompanion
  }

  private static let entries = Mutex<(next: Int, all: [Int: Entry])>((0, [:]))

  /// Has it go along; before the run, or a handover that has been joined goes without.
  /// - Returns: What takes it away again.
  package static func add(_ companion: any HandoverCompanion, to lifecycle: Lifecycle) -> @Sendable () -> Void {
    let isOf: @Sendable (Succession) -> Bool = { [weak own = lifecycle.whole.succession] in $0 === own }
    let id = entries.withLock { entries in
      entries.next += 1
      entries.all[entries.next] = Entry(isOf: isOf, companion: companion)
      return entries.next
    }
    return {
      // Let go of outside the lock.
      let entry = entries.withLock { $0.all.removeValue(forKey: id) }
      withExtendedLifetime(entry) {}
    }
  }

  /// In the order in which they were added.
  static func of(_ lifecycle: Lifecycle) -> [any HandoverCompanion] {
    let succession = lifecycle.whole.succession
    return entries.withLock { entries in
      entries.all.sorted { $0.key < $1.key }.filter { $0.value.isOf(succession) }.map(\.value.companion)
    }
  }
}
