/// From a value to its JSON text and back (RFC 8259), with the standard library's `Codable` and nothing else.
///
/// FoundationEssentials has the same for 10 MB more in a program that is linked statically, and cannot write a number to its
/// last digit unless the value that is written knows `Decimal`.
package enum JSON {
  /// The text of a value: the same value is always the same text.
  ///
  /// - Throws: What the value's own `encode(to:)` throws, and `EncodingError.invalidValue` for a `Double` that is no number.
  package static func text(of value: some Encodable, as style: JSONStyle = .document) throws -> String {
    var writer = JSONWriter(style)
    writer.write(try JSONValueEncoder.encoded(value))
    return writer.text
  }

  /// Reads a value from its text.
  ///
  /// - Throws: `DecodingError`, of which `dataCorrupted` without a coding path means that the text is not JSON; its
  ///   description says where. And what the value's own `init(from:)` throws.
  package static func decode<Value: Decodable>(_ type: Value.Type, from text: String) throws -> Value {
    let value: JSONValue
    do throws(JSONSyntaxError) {
      value = try JSONParser.value(of: text)
    } catch {
      throw DecodingError.dataCorrupted(.init(codingPath: [], debugDescription: error.description))
    }
    return try Value(from: JSONValueDecoder(value))
  }
}

/// How a JSON text is laid out.
package struct JSONStyle: Hashable, Sendable {
  /// One member a line, indented by two spaces, sorted by key, and a line break at the end.
  package static let document = JSONStyle(isPretty: true, isASCII: false)
  /// One line without spaces, with the members in the order in which they were encoded, and no line break.
  package static let line = JSONStyle(isPretty: false, isASCII: false)
  /// As ``line``, with all that is not printable ASCII escaped: no character can be mistaken for another.
  package static let asciiLine = JSONStyle(isPretty: false, isASCII: true)

  let isPretty: Bool
  let isASCII: Bool
}
