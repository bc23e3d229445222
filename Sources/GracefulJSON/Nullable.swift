// A key of our JSON is never left out: a program that reads it finds every key, with `null` for what is not known.

extension KeyedEncodingContainer {
  /// Encodes a value, or `null`.
  package mutating func encodeNullable(_ value: (some Encodable)?, forKey key: Key) throws {
    if let value { try encode(value, forKey: key) } else { try encodeNil(forKey: key) }
  }
}

extension KeyedDecodingContainer {
  /// Decodes a value, or `nil` for `null`.
  ///
  /// - Throws: `keyNotFound` where the key is left out.
  package func decodeNullable<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
    try decodeNil(forKey: key) ? nil : try decode(type, forKey: key)
  }
}

/// The version of a schema in its document, which is asked first: of another schema nothing else is known.
package struct SchemaVersion: Error, Hashable, Sendable {
  package let number: Int

  /// - Throws: `DecodingError.dataCorrupted` with the version that was found as its `underlyingError`.
  package static func check<Key: CodingKey>(
    is expected: Int, in container: KeyedDecodingContainer<Key>, forKey key: Key
  ) throws {
    let found = try container.decode(Int.self, forKey: key)
    guard found != expected else { return }
    throw DecodingError.dataCorrupted(
      .init(
        codingPath: container.codingPath + [key], debugDescription: "its schema is \(found)",
        underlyingError: SchemaVersion(number: found)))
  }
}
