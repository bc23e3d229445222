/// A time of day and its date, in UTC and to the millisecond.
///
/// From the clock on the wall, which may be set while the program runs; how long something took, is not taken from it.
public struct UTCTime: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Since 1970-01-01T00:00:00Z, with 86,400 seconds in every day: leap seconds do not count (POSIX.1-2017, 4.16).
  ///
  /// Never before the year 0 and never after the year 9999, which is all that RFC 3339 can say.
  public let milliseconds: Int64

  private static var years: ClosedRange<Int64> { -62_167_219_200_000...253_402_300_799_999 }

  /// Makes one; beyond the years 0 and 9999 it is the first or the last moment of these.
  public init(milliseconds: Int64) {
    self.milliseconds = min(max(milliseconds, Self.years.lowerBound), Self.years.upperBound)
  }

  /// Reads what ``description`` says, and nothing else.
  ///
  /// `nil` also for a day or an hour that there is not.
  public init?(_ text: String) {
    let parts = text.split(omittingEmptySubsequences: false) { "-T:.Z".contains($0) }
    let numbers = parts.compactMap { Int64($0) }
    guard parts.map(\.count) == [4, 2, 2, 2, 2, 2, 3, 0], numbers.count == 7 else { return nil }
    let days = Self.days(year: numbers[0], month: numbers[1], day: numbers[2])
    let seconds = ((days * 24 + numbers[3]) * 60 + numbers[4]) * 60 + numbers[5]
    self.init(milliseconds: seconds * 1000 + numbers[6])
    // What is not on the calendar reads as something else.
    if description != text { return nil }
  }

  /// Whether it is before another one.
  public static func < (one: Self, other: Self) -> Bool { one.milliseconds < other.milliseconds }

  func earlier(by duration: Duration) -> Self {
    let span = min(max(duration / .milliseconds(1), 0), 1e15)
    return Self(milliseconds: milliseconds - Int64(span))
  }

  /// As in RFC 3339: `2026-11-21T06:46:33.123Z`.
  public var description: String {
    let (seconds, fraction) = Self.divided(milliseconds, by: 1000)
    let (minutes, second) = Self.divided(seconds, by: 60)
    let (hours, minute) = Self.divided(minutes, by: 60)
    let (days, hour) = Self.divided(hours, by: 24)
    let (year, month, day) = Self.date(ofDay: days)
    return Self.digits(year, 4) + "-" + Self.digits(month, 2) + "-" + Self.digits(day, 2) + "T" + Self.digits(hour, 2)
      + ":" + Self.digits(minute, 2) + ":" + Self.digits(second, 2) + "." + Self.digits(fraction, 3) + "Z"
  }

  private static func digits(_ number: Int64, _ count: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(count - text.count, 0)) + text
  }

  /// Downwards, also below zero.
  private static func divided(_ number: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
    let rest = (number % divisor + divisor) % divisor
    return ((number - rest) / divisor, rest)
  }

  // The year begins in March here, so that the leap day is the last of it; 400 such years are 146,097 days, and the first
  // of the year 0 is 719,468 days before 1970. The months from March on have 31, 30, 31, 30, 31 days, and again: 153 in
  // five months.

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let (shifted, sinceMarch) = (month <= 2 ? year - 1 : year, (month + 9) % 12)
    let (cycle, yearOfCycle) = divided(shifted, by: 400)
    let leapDays = yearOfCycle / 4 - yearOfCycle / 100
    return cycle * 146_097 + yearOfCycle * 365 + leapDays + (sinceMarch * 153 + 2) / 5 + day - 1 - 719_468
  }

  private static func date(ofDay day: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let (cycle, dayOfCycle) = divided(day + 719_468, by: 146_097)
    // Without the leap days before it: of each 4 years but not of each 100, and of all 400.
    let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
    let dayOfYear = dayOfCycle - (yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100)
    let sinceMarch = (dayOfYear * 5 + 2) / 153
    let month = sinceMarch < 10 ? sinceMarch + 3 : sinceMarch - 9
    let year = cycle * 400 + yearOfCycle + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (sinceMarch * 153 + 2) / 5 + 1)
  }
}
