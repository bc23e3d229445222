internal import Foundation

/// What a snapshot says, as far as people are shown it (`schemas/lifecycle-snapshot-1.json`).
struct StatusDocument: Decodable, Equatable {
  var lifecycle: String
  var state: String
  var running: Double?
  var request: Request?
  var grace: Double
  var left: Double?
  var phases: [Phase]

  struct Request: Decodable, Equatable {
    var who: Asker
    var why: String

    struct Asker: Decodable, Equatable {
      var text: String
    }
  }

  struct Phase: Decodable, Equatable {
    var name: String
    var parent: String?
    var state: String
    var end: String?
    var age: Double?
    var left: Double?
    var waits: Bool
    var restarts: Int
    var children: Int
    var sessions: Sessions
  }

  struct Sessions: Decodable, Equatable {
    var live: Int
    var oldest: [Session]
  }

  struct Session: Decodable, Equatable {
    var name: String
    var age: Double
  }

  /// `nil` when it is no snapshot, or one of another schema.
  init?(json: String) {
    struct Schema: Decodable { var schema: Int }
    let data = Data(json.utf8)
    guard let schema = try? JSONDecoder().decode(Schema.self, from: data), schema.schema == 1,
      let document = try? JSONDecoder().decode(StatusDocument.self, from: data)
    else { return nil }
    self = document
  }

  /// Those that have been told to end and have not: they hold up a stop.
  var holding: [Phase] {
    guard state == "stopping" else { return [] }
    return phases.filter { $0.parent == nil && ($0.state == "draining" || $0.state == "cancelled") }
  }

  /// What holds up the stop, in a few words.
  var holdUp: String {
    if holding.isEmpty {
      let left = phases.filter { $0.parent == nil && $0.state != "ended" && $0.state != "waiting" }
      return left.isEmpty ? "everything has ended, but not the process" : "nothing drains yet"
    }
    let some = holding.prefix(5).map(\.holdUp).joined(separator: "; ")
    return holding.count > 5 ? "\(some); and \(holding.count - 5) more" : some
  }
}

extension StatusDocument.Phase {
  /// What is said of a phase that holds up a stop.
  var holdUp: String {
    var words = ["phase \(name.shown), \(state)"]
    if sessions.live > 0 { words.append(StatusTree.count(sessions.live, "session")) }
    if children > 0 { words.append(StatusTree.count(children, "child phase")) }
    if let oldest = sessions.oldest.first { words.append("\(oldest.name.shown) for \(StatusTree.time(oldest.age))") }
    if let left { words.append(left > 0 ? "\(StatusTree.time(left)) left" : "its time is over") }
    return words.joined(separator: ", ")
  }
}
