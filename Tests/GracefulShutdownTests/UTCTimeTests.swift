import GracefulShutdown
import TestHost
import Testing

@Suite("A time of day and its date", .valuesOnly)
struct UTCTimeTests {
  @Test(
    "is written as RFC 3339 says, and read again",
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (1, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_799_999, "2000-02-29T23:59:59.999Z"),
      (4_107_542_399_000, "2100-02-28T23:59:59.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
      (1_795_243_593_123, "2026-11-21T06:46:33.123Z"), (.min, "0000-01-01T00:00:00.000Z"),
      (.max, "9999-12-31T23:59:59.999Z"),
    ])
  func known(milliseconds: Int64, text: String) {
    let time = UTCTime(milliseconds: milliseconds)
    #expect(time.description == text)
    #expect(UTCTime(text) == time)
  }

  @Test("Every day from 1890 to 2110, and every 89th of the ten thousand years, comes back, one after the other")
  func manyDays() throws {
    var wrong = 0
    var last = ""
    let day: Int64 = 86_400_000
    let (first, end) = (UTCTime(milliseconds: .min).milliseconds, UTCTime(milliseconds: .max).milliseconds)
    let near = try #require(UTCTime("1890-01-01T00:00:00.000Z")?.milliseconds)
    let far = try #require(UTCTime("2110-01-01T00:00:00.000Z")?.milliseconds)
    var milliseconds = first
    while milliseconds <= end {
      let time = UTCTime(milliseconds: milliseconds)
      let text = time.description
      if UTCTime(text) != time || text <= last { wrong += 1 }
      last = text
      milliseconds += (near...far).contains(milliseconds) ? day : 89 * day
    }
    #expect(wrong == 0)
    #expect(last.hasPrefix("9999-"))
  }

  @Test(
    "What is none is not read",
    arguments: [
      "", "2026", "2026-11-21T06:46:33Z", "2026-11-21t06:46:33.123z", "2026-11-21T06:46:33.123+00:00",
      "2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z", "2026-01-01T24:00:00.000Z",
      "2026-01-01T00:60:00.000Z", "2026-06-30T23:59:60.000Z", "+026-01-01T00:00:00.000Z", "2026:01-01T00:00:00.000Z",
      "9223372036854775807-01-01T00:00:00.000Z", "٢٠٢٦-01-01T00:00:00.000Z",
    ])
  func none(text: String) { #expect(UTCTime(text) == nil) }
}
