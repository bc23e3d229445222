internal import HeapModule

/// Which phase is due when: the earliest first.
///
/// A heap, so that of a hundred thousand phases only those that are due are looked at. It is a second account of what the
/// phases' records say (``PhaseRecord/due``), and they are right: what is in here may be stale, and is found so when its
/// time comes. That is why it counts for nothing when two machines are compared.
struct DueTimes: Hashable, Sendable {
  typealias Instant = MonotonicInstant

  private struct Entry: Comparable {
    var instant: Instant
    var id: Int

    static func < (one: Entry, other: Entry) -> Bool { one.instant < other.instant }
  }

  private var heap = Heap<Entry>()
  /// As soon as there are more entries than this, those that are stale are thrown out.
  private var most = 64

  static func == (_: Self, _: Self) -> Bool { true }
  func hash(into _: inout Hasher) {}

  /// - Parameter isValid: Whether this phase is still due at this instant; asked when there is more than can be valid.
  mutating func add(_ id: Int, at instant: Instant, isValid: (Int, Instant) -> Bool) {
    if heap.count >= most {
      heap = Heap(heap.unordered.filter { isValid($0.id, $0.instant) })
      // At most half of it is valid then: what this costs has been paid by as many additions.
      most = max(64, 2 * heap.count)
    }
    heap.insert(Entry(instant: instant, id: id))
  }

  /// The earliest instant at which a phase is due.
  mutating func next(isValid: (Int, Instant) -> Bool) -> Instant? {
    while let first = heap.min {
      if isValid(first.id, first.instant) { return first.instant }
      heap.removeMin()
    }
    return nil
  }

  /// Takes all out that are due, in no order; some may be stale, some there twice.
  mutating func take(until now: Instant) -> [Int] {
    var taken: [Int] = []
    while let first = heap.min, first.instant <= now {
      taken.append(first.id)
      heap.removeMin()
    }
    return taken
  }
}
