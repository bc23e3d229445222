/// The phases that were opened while the program runs, and have not ended.
///
/// The records lie in an array, because they are looked at in place there; out of a dictionary each look would be a copy
/// of the whole record. Their order in it means nothing, but that the first two stand for all that are not in it: one is
/// read, and the other takes what is written.
package struct ChildTable: Hashable, Sendable {
  var records = [PhaseRecord.gone, .gone]
  private var origins = [ChildOrigin.none, .none]
  private var places: [Int: Int] = [:]

  package var ids: Dictionary<Int, Int>.Keys { places.keys }

  func contains(_ id: Int) -> Bool { places[id] != nil }

  /// Where it is, until another one is removed.
  func place(of id: Int) -> Int { places[id] ?? 0 }

  /// The same, to write there.
  func placeToChange(_ id: Int) -> Int { places[id] ?? 1 }

  package func record(_ id: Int) -> PhaseRecord? { places[id].map { records[$0] } }

  package func origin(_ id: Int) -> ChildOrigin? { places[id].map { origins[$0] } }

  func parent(of id: Int) -> Int? { places[id].map { origins[$0].child.parent } }

  /// A child that is not in it.
  mutating func insert(_ origin: ChildOrigin, _ record: PhaseRecord) {
    places[origin.child.id] = records.count
    records.append(record)
    origins.append(origin)
  }

  mutating func remove(_ id: Int) {
    guard let place = places.removeValue(forKey: id) else { return }
    let last = records.count - 1
    if place < last {
      records.swapAt(place, last)
      origins.swapAt(place, last)
      places[origins[place].child.id] = place
    }
    records.removeLast()
    origins.removeLast()
    // A hundred thousand may have been open, and never again: each time that a quarter is left, the rest is given back.
    guard records.capacity > 1024, records.count < records.capacity / 4 else { return }
    records = records.map { $0 }
    origins = origins.map { $0 }
    if places.isEmpty { places = [:] }
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.ids.count == right.ids.count
      && left.ids.allSatisfy { left.origin($0) == right.origin($0) && left.record($0) == right.record($0) }
  }

  package func hash(into hasher: inout Hasher) {
    for id in ids.sorted() {
      hasher.combine(origin(id))
      hasher.combine(record(id))
    }
  }
}

/// Where a child phase was opened.
package struct ChildOrigin: Hashable, Sendable {
  package let child: LifecycleStateMachine.Child
  /// The phase of the graph that it is in, however deep.
  let root: Int
  /// How deep: 1 directly inside of it.
  let depth: Int

  static let none = ChildOrigin(child: .init(id: -1, parent: -1, name: ""), root: -1, depth: 0)
}
