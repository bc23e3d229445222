internal import HeapModule

/// What is to be done when: the earliest first, and what is due at one instant in the order in which it came.
///
/// Adding and taking cost little with a hundred thousand in it. An item that is taken back is let go of at once, and its
/// place in the heap later: `Heap` has no removal from its middle.
package struct TimerQueue<Item> {
  /// Something that was added.
  package struct ID: Hashable, Sendable { let number: UInt64 }

  private struct Entry: Comparable {
    var instant: ContinuousClock.Instant
    var number: UInt64

    static func < (one: Entry, other: Entry) -> Bool { (one.instant, one.number) < (other.instant, other.number) }
  }

  private var heap = Heap<Entry>()
  private var items: [UInt64: Item] = [:]
  private var added: UInt64 = 0

  package init() {}

  package var count: Int { items.count }

  /// When the next item is due.
  package var next: ContinuousClock.Instant? { heap.min?.instant }

  package mutating func add(_ item: Item, at instant: ContinuousClock.Instant) -> ID {
    added += 1
    items[added] = item
    heap.insert(Entry(instant: instant, number: added))
    return ID(number: added)
  }

  /// Takes an item back.
  ///
  /// - Returns: `nil` when it was taken before.
  package mutating func remove(_ id: ID) -> Item? {
    guard let item = items.removeValue(forKey: id.number) else { return nil }
    // Half of it is stale: made anew, which pays for as many removals.
    if heap.count > 2 * items.count + 16 { heap = Heap(heap.unordered.filter { items[$0.number] != nil }) }
    dropStale()
    return item
  }

  /// Takes the next item, if it is due.
  package mutating func takeNext(until now: ContinuousClock.Instant) -> Item? {
    guard let first = heap.min, first.instant <= now else { return nil }
    let item = items.removeValue(forKey: first.number)
    dropStale()
    return item
  }

  /// So that the first entry of the heap is still wanted.
  private mutating func dropStale() {
    while let first = heap.min, items[first.number] == nil { heap.removeMin() }
  }
}
