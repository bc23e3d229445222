/// A value or `null`, but never left out: who reads the document finds every key.
struct JSONNullable<Value: Codable>: Codable {
  let value: Value?

  init(_ value: Value?) { self.value = value }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if let value { try container.encode(value) } else { try container.encodeNil() }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    value = container.decodeNil() ? nil : try container.decode(Value.self)
  }
}

extension KeyedEncodingContainer {
  /// What the compiler calls for each such property: without an encoder of its own for every `null`.
  mutating func encode<Value>(_ nullable: JSONNullable<Value>, forKey key: Key) throws {
    if let value = nullable.value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
  }
}
