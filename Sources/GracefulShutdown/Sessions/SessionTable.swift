/// The sessions of one stripe that have a name or can be cancelled.
///
/// Slots with a list of the free ones, in chunks: insertion and removal cost the same with a million inside, and growing
/// never moves what is there.
struct SessionTable {
  typealias Instant = ContinuousClock.Instant
  typealias Cancel = @Sendable () -> Void

  private struct Slot {
    var name: String?
    var since: Instant
    var cancel: Cancel?
    /// The next free slot, or `taken`.
    var next: UInt32
  }

  /// No slot: of a session that is neither named nor cancellable.
  static let none = UInt32.max
  private static let taken = UInt32.max - 1
  private static let chunk: UInt32 = 512

  private var chunks: [[Slot]] = []
  private var firstFree = SessionTable.none
  private(set) var count = 0

  mutating func insert(name: String?, since: Instant) -> UInt32 {
    count += 1
    let slot = Slot(name: name, since: since, next: Self.taken)
    if firstFree != Self.none {
      let index = firstFree
      firstFree = self[index].next
      self[index] = slot
      return index
    }
    if chunks.last.map({ $0.count == Self.chunk }) ?? true {
      chunks.append([])
      chunks[chunks.count - 1].reserveCapacity(Int(Self.chunk))
    }
    chunks[chunks.count - 1].append(slot)
    return UInt32(chunks.count - 1) * Self.chunk + UInt32(chunks[chunks.count - 1].count - 1)
  }

  /// - Returns: What the slot held on to. The caller lets go of it outside its lock: it may be the last reference to
  ///   something of the user's.
  mutating func remove(_ index: UInt32) -> Cancel? {
    let cancel = self[index].cancel
    count -= 1
    if count == 0 {
      // A peak must not cost its memory until the phase ends.
      chunks = chunks.count > 1 ? [] : chunks
      if chunks.isEmpty {
        firstFree = Self.none
        return cancel
      }
    }
    self[index] = Slot(name: nil, since: self[index].since, next: firstFree)
    firstFree = index
    return cancel
  }

  mutating func attach(_ cancel: @escaping Cancel, to index: UInt32) { self[index].cancel = cancel }

  var cancels: [Cancel] { chunks.flatMap { $0.compactMap(\.cancel) } }

  func forEachNamed(_ body: (String, Instant) -> Void) {
    for chunk in chunks {
      for slot in chunk where slot.next == Self.taken {
        if let name = slot.name { body(name, slot.since) }
      }
    }
  }

  private subscript(index: UInt32) -> Slot {
    get { chunks[Int(index / Self.chunk)][Int(index % Self.chunk)] }
    _modify { yield &chunks[Int(index / Self.chunk)][Int(index % Self.chunk)] }
  }
}
