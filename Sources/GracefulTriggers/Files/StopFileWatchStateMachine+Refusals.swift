/// What is told of what is found.
extension StopFileWatchStateMachine {
  /// What happens once.
  func complain(_ objection: StopFileObjection?, about place: Place = .answer) -> [Action] {
    objection.map { [.tell(place, $0)] } ?? []
  }

  /// What may be found in every round: told once, and again when it is another file, or there is another reason; and no more
  /// often than once a second, however fast it is changed.
  mutating func complain(
    _ objection: StopFileObjection?, about place: Place, _ file: FileStatus.Identity?, _ now: Instant
  ) -> [Action] {
    guard let objection else { return [] }
    let telling = Told(file: file, objection: objection)
    guard told[place] != telling else { return [] }
    // Found again in a later round, if it is still there then.
    if let quietUntil, now < quietUntil { return [] }
    told[place] = telling
    quietUntil = now + .seconds(1)
    return [.tell(place, objection)]
  }
}
