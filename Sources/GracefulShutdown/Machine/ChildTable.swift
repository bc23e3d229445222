/// The phases that were opened while the program runs, and have not ended.
///
/// The records lie in an array, because they are looked at in place there; out of a dictionary each look would be a copy
/// of the whole record. Their order in it means nothing.
package struct ChildTable: Hashable, Sendable {
  private var records: [ChildRecord] = []
  private var places: [Int: Int] = [:]

  package var ids: Dictionary<Int, Int>.Keys { places.keys }

  func contains(_ id: Int) -> Bool { places[id] != nil }

  /// Where it is, until another one is removed.
  func place(of id: Int) -> Int? { places[id] }

  package subscript(place place: Int) -> ChildRecord {
    _read { yield records[place] }
    _modify { yield &records[place] }
  }

  package subscript(id: Int) -> ChildRecord? { places[id].map { records[$0] } }

  func child(_ id: Int) -> LifecycleStateMachine.Child? { places[id].map { records[$0].child } }

  func parent(of id: Int) -> Int? { places[id].map { records[$0].child.parent } }

  /// One that is not in it.
  mutating func insert(_ record: ChildRecord) {
    places[record.child.id] = records.count
    records.append(record)
  }

  mutating func remove(_ id: Int) {
    guard let place = places.removeValue(forKey: id) else { return }
    let last = records.count - 1
    if place < last {
      records.swapAt(place, last)
      places[records[place].child.id] = place
    }
    records.removeLast()
    // A hundred thousand may have been open, and none ever again.
    if records.isEmpty, records.capacity > 1024 { self = ChildTable() }
  }

  package static func == (left: Self, right: Self) -> Bool {
    left.ids.count == right.ids.count && left.ids.allSatisfy { left[$0] == right[$0] }
  }

  package func hash(into hasher: inout Hasher) {
    for id in ids.sorted() { hasher.combine(self[id]) }
  }
}
