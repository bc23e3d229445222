public import GracefulShutdown

extension LifecycleSnapshot {
  /// The snapshot as JSON: `schemas/lifecycle-snapshot-1.json` of this package describes it.
  ///
  /// Pretty, with sorted keys and a line break at its end. Times are numbers of seconds, states are words, and what is not
  /// known is `null`.
  public func json() -> String { JSONText.text(of: SnapshotDocument(self)) }
}

/// The snapshot in JSON.
struct SnapshotDocument: Encodable {
  var schema = 1
  var lifecycle: String
  var state: String
  var running: JSONNullable<JSONElapsed>
  var request: JSONNullable<RequestDocument>
  var grace: JSONSeconds
  var left: JSONNullable<JSONSeconds>
  var lameDuckLeft: JSONNullable<JSONSeconds>
  var phases: [Phase]

  struct Phase: Encodable {
    var name: String
    var parent: JSONNullable<String>
    var state: String
    var end: JSONNullable<EndWord>
    var error: JSONNullable<String>
    var age: JSONNullable<JSONElapsed>
    var left: JSONNullable<JSONSeconds>
    var waits: Bool
    var restarts: Int
    var children: Int
    var sessions: Sessions
  }

  struct Sessions: Encodable {
    var live: Int
    var admitted: Int
    var refused: Int
    var failed: Int
    var cancelled: Int
    var oldest: [Session]
  }

  struct Session: Encodable {
    var name: String
    var age: JSONElapsed
  }

  init(_ snapshot: LifecycleSnapshot) {
    lifecycle = snapshot.lifecycle
    state = snapshot.state.description
    running = JSONNullable(snapshot.running.map(JSONElapsed.init))
    request = JSONNullable(snapshot.request.map(RequestDocument.init))
    grace = JSONSeconds(snapshot.grace)
    left = JSONNullable(snapshot.left.map(JSONSeconds.init))
    lameDuckLeft = JSONNullable(snapshot.lameDuckLeft.map(JSONSeconds.init))
    phases = snapshot.phases.map(Phase.init)
  }
}

extension SnapshotDocument.Phase {
  fileprivate init(_ phase: PhaseSnapshot) {
    name = phase.name
    parent = JSONNullable(phase.parent)
    state = phase.state.description
    end = JSONNullable(phase.end.map(EndWord.init))
    error = JSONNullable(phase.end?.error)
    age = JSONNullable(phase.age.map(JSONElapsed.init))
    left = JSONNullable(phase.left.map(JSONSeconds.init))
    waits = phase.isWaiting
    restarts = phase.restarts
    children = phase.children
    sessions = SnapshotDocument.Sessions(
      live: phase.sessionsLive, admitted: phase.sessionsAdmitted, refused: phase.sessionsRefused,
      failed: phase.sessionsFailed, cancelled: phase.sessionsCancelled,
      oldest: phase.oldestSessions.map { SnapshotDocument.Session(name: $0.name, age: JSONElapsed($0.age)) })
  }
}
