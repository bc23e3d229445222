/// What is to be done when: the earliest first, and of those at one instant the one that came first.
///
/// A heap, so that adding and taking cost little with a hundred thousand in it; what is taken back is let go of at once,
/// and its place in the heap later.
package struct Agenda<Item> {
  /// Something that was added.
  package struct ID: Hashable, Sendable { let number: UInt64 }

  private struct Entry {
    var instant: ContinuousClock.Instant
    var number: UInt64

    func precedes(_ other: Entry) -> Bool { (instant, number) < (other.instant, other.number) }
  }

  private var heap: [Entry] = []
  private var items: [UInt64: Item] = [:]
  private var added: UInt64 = 0

  package init() {}

  package var count: Int { items.count }

  /// When the next one is due.
  package var next: ContinuousClock.Instant? { heap.first?.instant }

  package mutating func add(_ item: Item, at instant: ContinuousClock.Instant) -> ID {
    added += 1
    items[added] = item
    heap.append(Entry(instant: instant, number: added))
    rise(heap.count - 1)
    return ID(number: added)
  }

  /// Takes one back.
  ///
  /// - Returns: `nil` when it was taken before.
  package mutating func remove(_ id: ID) -> Item? {
    guard let item = items.removeValue(forKey: id.number) else { return nil }
    // Half of it is stale: made anew, which pays for as many removals.
    if heap.count > 2 * items.count + 16 {
      heap.removeAll { items[$0.number] == nil }
      for index in (0..<heap.count / 2).reversed() { sink(index) }
    }
    dropStale()
    return item
  }

  /// Takes the next one, if it is due.
  package mutating func takeNext(until now: ContinuousClock.Instant) -> Item? {
    guard let first = heap.first, first.instant <= now else { return nil }
    let item = items.removeValue(forKey: first.number)
    dropStale()
    return item
  }

  /// So that the first of the heap is one that is still wanted.
  private mutating func dropStale() {
    while let first = heap.first, items[first.number] == nil {
      heap.swapAt(0, heap.count - 1)
      heap.removeLast()
      sink(0)
    }
  }

  private mutating func rise(_ start: Int) {
    var index = start
    while index > 0, heap[index].precedes(heap[(index - 1) / 2]) {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func sink(_ start: Int) {
    var index = start
    while true {
      var first = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].precedes(heap[first]) {
        first = child
      }
      if first == index { return }
      heap.swapAt(index, first)
      index = first
    }
  }
}
