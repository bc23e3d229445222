import GracefulSystem
import Exploration
import Testing
import TestHost

@Suite("A timer queue", .valuesOnly)
struct TimerQueueTests {
  private let start = ContinuousClock.now

  private func taken(_ queue: inout TimerQueue<Int>, until seconds: Int) -> [Int] {
    var taken: [Int] = []
    while let next = queue.takeNext(until: start + .seconds(seconds)) { taken.append(next) }
    return taken
  }

  @Test("gives out what is due, the earliest first, and what is due at one instant in the order in which it came")
  func order() {
    var queue = TimerQueue<Int>()
    for (item, second) in [5, 3, 3, 1, 4, 3, 2].enumerated() { _ = queue.add(item, at: start + .seconds(second)) }
    #expect(queue.next == start + .seconds(1))
    #expect(taken(&queue, until: 3) == [3, 6, 1, 2, 5])
    #expect(queue.next == start + .seconds(4))
    #expect(taken(&queue, until: 9) == [4, 0])
    #expect(queue.next == nil)
  }

  @Test("does as a sorted list does, whatever is added, taken and taken back", arguments: UInt64(1)...20)
  func model(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    var queue = TimerQueue<Int>()
    var model: [(second: Int, item: Int, id: TimerQueue<Int>.ID)] = []
    for item in 0..<2000 {
      switch random.next() % 4 {
      case 0, 1:
        let second = Int(random.next() % 50)
        model.append((second, item, queue.add(item, at: start + .seconds(second))))
      case 2:
        guard let gone = model.indices.randomElement(using: &random) else { continue }
        let (_, item, id) = model.remove(at: gone)
        #expect(queue.remove(id) == item)
        #expect(queue.remove(id) == nil)
      default:
        let now = Int(random.next() % 50)
        let due = model.filter { $0.second <= now }.min { ($0.second, $0.item) < ($1.second, $1.item) }
        #expect(queue.takeNext(until: start + .seconds(now)) == due?.item)
        model.removeAll { $0.item == due?.item }
      }
      #expect(queue.next == model.map(\.second).min().map { start + .seconds($0) })
      #expect(queue.count == model.count)
    }
  }

  @Test("holds a hundred thousand without a search through them")
  func many() {
    var queue = TimerQueue<Int>()
    // In order, in reverse order and mixed: with a list, each of these is a search or a shift of all there are.
    let count = 100_000
    let ids = (0..<count).map { queue.add($0, at: start + .seconds($0 % 3 == 0 ? $0 : count - $0)) }
    for id in ids where id.hashValue % 2 == 0 { _ = queue.remove(id) }
    let left = queue.count
    #expect(taken(&queue, until: count).count == left)
  }
}
