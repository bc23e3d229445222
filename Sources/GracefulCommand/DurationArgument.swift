internal import ArgumentParser

/// A duration on the command line: `250ms`, `10s`, `2m`, `1h`.
struct DurationArgument: ExpressibleByArgument, CustomStringConvertible, Equatable {
  var duration: Duration
  private let text: String

  private static let units: [(name: String, milliseconds: Int64)] = [
    ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000),
  ]

  /// Whole numbers only, and not more than a year: a longer one is a mistake, and could overflow what is computed
  /// from it.
  init?(argument: String) {
    guard let unit = Self.units.first(where: { argument.hasSuffix($0.name) }) else { return nil }
    let digits = argument.dropLast(unit.name.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits),
      number <= 366 * 24 * 3_600_000 / unit.milliseconds
    else { return nil }
    duration = .milliseconds(number * unit.milliseconds)
    text = argument
  }

  var description: String { text }
  var defaultValueDescription: String { text }
}
