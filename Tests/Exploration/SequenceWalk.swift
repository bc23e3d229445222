/// A machine in its world, which knows what must be true of it.
public protocol ExploredWorld {
  associatedtype Event

  /// What was found wrong so far.
  var violations: [String] { get }

  /// Gives the machine an event, and holds its answer against the rules.
  mutating func meet(_ event: Event)
}

/// Gives a machine every sequence of events up to a length, and keeps those after which a rule is broken.
public struct SequenceWalk<World: ExploredWorld> {
  /// How many events were given; a walk that finds nothing must have gone far.
  public private(set) var steps = 0
  /// The first five, with the events that led to each.
  public private(set) var violations: [String] = []
  private let next: (World) -> [World.Event]
  private let seen: (_ before: World, _ after: World) -> Void

  /// Makes a walk.
  /// - Parameters:
  ///   - next: Which events there are where the world is so.
  ///   - seen: Told of each step that breaks no rule, so that a test can count what it has met.
  public init(
    _ next: @escaping (World) -> [World.Event], seen: @escaping (_ before: World, _ after: World) -> Void = { _, _ in }
  ) {
    self.next = next
    self.seen = seen
  }

  /// Walks on from a world.
  /// - Parameter path: What led to it.
  public mutating func go(_ world: World, depth: Int, path: [World.Event] = []) {
    guard depth > 0, violations.count < 5 else { return }
    for event in next(world) {
      steps += 1
      var after = world
      after.meet(event)
      if !after.violations.isEmpty {
        violations.append("\(after.violations): \(path + [event])")
        continue
      }
      seen(world, after)
      go(after, depth: depth - 1, path: path + [event])
    }
  }
}
