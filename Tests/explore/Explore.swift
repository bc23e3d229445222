import PathExploration

/// Searches every path through the lifecycle's state machine, further than the tests do.
///
///     explore [short|usual|long] [SEARCH]...
///
/// Build it with `-c release`; it is some thirty times faster. Without names, all searches. Exits with 1 at the first promise that is
/// broken, with the event that broke it and what had happened before.
@main
struct Explore {
  static func main() throws {
    let arguments = CommandLine.arguments.dropFirst()
    let reach = arguments.first.flatMap(PathSearch.Reach.init)
    let names = Set(arguments.dropFirst(reach == nil ? 0 : 1))
    let unknown = names.subtracting(PathSearch.all.map(\.name))
    guard unknown.isEmpty else {
      print("there is no search \(unknown.sorted()); there are \(PathSearch.all.map(\.name))")
      throw UnknownSearch()
    }
    for (name, search) in PathSearch.all where names.isEmpty || names.contains(name) {
      let began = ContinuousClock.now
      var path = PathSearch(reach ?? .usual)
      try search(&path)
      print("\(name): \(ContinuousClock.now - began)")
      for line in path.found { print("  \(line)") }
    }
  }

  struct UnknownSearch: Error {}
}
