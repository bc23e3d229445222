/// Which phase is due when: the earliest first.
///
/// A heap, so that of a hundred thousand phases only those that are due are looked at. It is a second account of what the
/// phases' records say (``PhaseRecord/due``), and they are right: what is in here may be stale, and is found so when its
/// time comes. That is why it counts for nothing when two machines are compared.
struct DueTimes: Hashable, Sendable {
  typealias Instant = MonotonicInstant

  private struct Entry {
    var instant: Instant
    var id: Int
  }

  private var heap: [Entry] = []
  /// As soon as there are more than this, those that are stale are thrown out.
  private var most = 64

  static func == (_: Self, _: Self) -> Bool { true }
  func hash(into _: inout Hasher) {}

  /// - Parameter isValid: Whether this phase is still due at this instant; asked when there is more than can be valid.
  mutating func add(_ id: Int, at instant: Instant, isValid: (Int, Instant) -> Bool) {
    if heap.count >= most {
      heap.removeAll { !isValid($0.id, $0.instant) }
      // At most half of it is valid then: what this costs has been paid by as many additions.
      most = max(64, 2 * heap.count)
      for index in (0..<heap.count / 2).reversed() { sink(index) }
    }
    heap.append(Entry(instant: instant, id: id))
    rise(heap.count - 1)
  }

  /// The earliest instant at which one is due.
  mutating func next(isValid: (Int, Instant) -> Bool) -> Instant? {
    while let first = heap.first {
      if isValid(first.id, first.instant) { return first.instant }
      removeFirst()
    }
    return nil
  }

  /// Takes all out that are due, in no order; some may be stale, some there twice.
  mutating func take(until now: Instant) -> [Int] {
    var taken: [Int] = []
    while let first = heap.first, first.instant <= now {
      taken.append(first.id)
      removeFirst()
    }
    return taken
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    sink(0)
  }

  private mutating func rise(_ start: Int) {
    var index = start
    while index > 0, heap[index].instant < heap[(index - 1) / 2].instant {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  private mutating func sink(_ start: Int) {
    var index = start
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].instant < heap[least].instant
      {
        least = child
      }
      guard least != index else { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}
