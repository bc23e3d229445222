internal import ArgumentParser

/// A duration on the command line: `1500ms`, `5s`, `2m`, `1h`, `1.5s`.
///
/// A bare `0` needs no unit; every other number does, so that nobody means seconds and gets milliseconds.
struct DurationArgument: ExpressibleByArgument, Equatable, Sendable {
  var duration: Duration

  init(_ duration: Duration) {
    self.duration = duration
  }

  init?(argument: String) {
    if argument == "0" {
      duration = .zero
      return
    }
    let units = [("ms", 1.0), ("s", 1000.0), ("m", 60_000.0), ("h", 3_600_000.0)]
    guard let (unit, factor) = units.first(where: { argument.hasSuffix($0.0) }) else { return nil }
    let digits = argument.dropLast(unit.count)
    guard let first = digits.first, first.isASCII, first.isNumber,
      digits.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }), let number = Double(digits)
    else { return nil }
    let milliseconds = number * factor
    // A year; nobody waits longer, and what follows cannot overflow.
    guard milliseconds <= 31_536_000_000 else { return nil }
    duration = .milliseconds(milliseconds)
  }

  var defaultValueDescription: String {
    let milliseconds = duration / .milliseconds(1)
    if milliseconds >= 1000, milliseconds.truncatingRemainder(dividingBy: 1000) == 0 {
      return "\(Int(milliseconds / 1000))s"
    }
    return "\(Int(milliseconds))ms"
  }
}
