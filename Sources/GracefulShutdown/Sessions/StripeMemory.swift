import Synchronization

/// One stripe of a gate, in the gate's plain memory.
struct StripeMemory: ~Copyable {
  let word: Atomic<UInt64>
  let refused = Atomic<UInt64>(0)
  private let failed = Tally()
  private let cancelled = Tally()
  let gate: GateMemory.Pointer
  let ledger = Mutex(Ledger())

  init(gate: GateMemory.Pointer, startingAt word: SessionWord) {
    self.gate = gate
    self.word = Atomic(word.raw)
  }

  /// What is not on the fast path.
  struct Ledger {
    var table = SessionTable()
    /// Child phases: live in the word, but not sessions.
    var children = 0
    /// How often the count of admitted has wrapped.
    var wraps: UInt64 = 0
  }

  /// How many ended so, before and after the stripe was closed.
  private struct Tally: ~Copyable {
    let open = Atomic(0)
    let draining = Atomic(0)
  }

  func count(_ end: SessionEnd, _ difference: Int, whileClosed: Bool) {
    switch (end, whileClosed) {
    case (.well, _): break
    case (.failed, false): failed.open.wrappingAdd(difference, ordering: .relaxed)
    case (.failed, true): failed.draining.wrappingAdd(difference, ordering: .relaxed)
    case (.cancelled, false): cancelled.open.wrappingAdd(difference, ordering: .relaxed)
    case (.cancelled, true): cancelled.draining.wrappingAdd(difference, ordering: .relaxed)
    }
  }

  /// Adds what this stripe counts to the sum of all.
  func add(to counts: inout SessionCounts) {
    ledger.withLock { ledger in
      let word = SessionWord(raw: word.load(ordering: .relaxed))
      counts.admitted += ledger.wraps << 32 + word.admitted
      counts.live += word.live - ledger.children
      counts.children += ledger.children
    }
    counts.refused += refused.load(ordering: .relaxed)
    counts.failedWhileDraining += failed.draining.load(ordering: .relaxed)
    counts.cancelledWhileDraining += cancelled.draining.load(ordering: .relaxed)
    counts.failed += failed.open.load(ordering: .relaxed) + failed.draining.load(ordering: .relaxed)
    counts.cancelled += cancelled.open.load(ordering: .relaxed) + cancelled.draining.load(ordering: .relaxed)
  }
}

/// How a session ended.
package enum SessionEnd: Hashable, Sendable {
  case well
  case failed
  /// With a `CancellationError`, after the lifecycle had cancelled it.
  case cancelled
}
