internal import GracefulShutdown

/// A time of day and its date: `2026-11-21T06:46:33.123Z`, and in no other of the ways in which RFC 3339 can say it.
struct JSONTime: Hashable, Codable {
  let time: UTCTime

  init(_ time: UTCTime) { self.time = time }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(time.description)
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let time = UTCTime(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "no time such as 2026-11-21T06:46:33.123Z")
    }
    self.time = time
  }
}
