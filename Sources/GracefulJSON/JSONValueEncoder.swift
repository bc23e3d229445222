/// Encodes a value into a ``JSONValue``.
struct JSONValueEncoder: Encoder {
  fileprivate let node: EncodedNode
  let codingPath: [any CodingKey]
  var userInfo: [CodingUserInfoKey: Any] { [:] }

  static func encoded(_ value: some Encodable) throws -> JSONValue {
    let node = EncodedNode()
    try value.encode(to: JSONValueEncoder(node: node, codingPath: []))
    return node.value
  }

  /// A number, digit by digit.
  func take(_ number: DecimalNumber) { node.content = .value(.number(number)) }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    node.content = .object
    return KeyedEncodingContainer(KeyedContainer<Key>(node: node, codingPath: codingPath))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    node.content = .array
    return UnkeyedContainer(node: node, codingPath: codingPath)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer {
    SingleContainer(node: node, codingPath: codingPath)
  }
}

/// What an encoder has been given so far.
///
/// A value that never asked its encoder for anything is `null`.
private final class EncodedNode {
  enum Content { case value(JSONValue), array, object }
  enum Child { case value(JSONValue), node(EncodedNode) }

  var content = Content.value(.null)
  var elements: [Child] = []
  var members: [(key: String, child: Child)] = []

  var value: JSONValue {
    switch content {
    case .value(let value): value
    case .array: .array(elements.map(\.value))
    case .object: .object(members.map { JSONValue.Member(key: $0.key, value: $0.child.value) })
    }
  }
}

extension EncodedNode.Child {
  var value: JSONValue {
    switch self {
    case .value(let value): value
    case .node(let node): node.value
    }
  }

  init(_ value: some Encodable, at path: [any CodingKey]) throws {
    // Without an encoder of its own for each string.
    if let text = value as? String {
      self = .value(.string(text))
      return
    }
    let node = EncodedNode()
    try value.encode(to: JSONValueEncoder(node: node, codingPath: path))
    if case .value(let value) = node.content { self = .value(value) } else { self = .node(node) }
  }

  init(number: Double, at path: [any CodingKey]) throws {
    guard let decimal = DecimalNumber(number) else {
      throw EncodingError.invalidValue(
        number, .init(codingPath: path, debugDescription: "JSON has no number for \(number)"))
    }
    self = .value(.number(decimal))
  }
}

private struct KeyedContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let node: EncodedNode
  let codingPath: [any CodingKey]

  private func put(_ child: EncodedNode.Child, _ key: some CodingKey) { node.members.append((key.stringValue, child)) }

  private func nested(_ key: some CodingKey) -> JSONValueEncoder {
    let child = EncodedNode()
    put(.node(child), key)
    return JSONValueEncoder(node: child, codingPath: codingPath + [key])
  }

  func encodeNil(forKey key: Key) { put(.value(.null), key) }
  func encode(_ value: Bool, forKey key: Key) { put(.value(.bool(value)), key) }
  func encode(_ value: String, forKey key: Key) { put(.value(.string(value)), key) }
  func encode(_ value: Double, forKey key: Key) throws { put(try .init(number: value, at: codingPath + [key]), key) }
  func encode(_ value: Float, forKey key: Key) throws { try encode(Double(value), forKey: key) }
  func encode(_ value: Int, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: Int8, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: Int16, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: Int32, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: Int64, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: UInt, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: UInt8, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: UInt16, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: UInt32, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: UInt64, forKey key: Key) { put(.value(.number(DecimalNumber(value))), key) }
  func encode(_ value: some Encodable, forKey key: Key) throws { put(try .init(value, at: codingPath + [key]), key) }

  func nestedContainer<Nested: CodingKey>(
    keyedBy type: Nested.Type, forKey key: Key
  ) -> KeyedEncodingContainer<Nested> {
    nested(key).container(keyedBy: type)
  }
  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { nested(key).unkeyedContainer() }
  func superEncoder() -> any Encoder { nested(PlaceKey.super) }
  func superEncoder(forKey key: Key) -> any Encoder { nested(key) }
}

private struct UnkeyedContainer: UnkeyedEncodingContainer {
  let node: EncodedNode
  let codingPath: [any CodingKey]
  var count: Int { node.elements.count }

  private var path: [any CodingKey] { codingPath + [PlaceKey(count)] }

  private func nested() -> JSONValueEncoder {
    let child = EncodedNode()
    let path = path
    node.elements.append(.node(child))
    return JSONValueEncoder(node: child, codingPath: path)
  }

  func encodeNil() { node.elements.append(.value(.null)) }
  func encode(_ value: some Encodable) throws { node.elements.append(try .init(value, at: path)) }
  func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
    nested().container(keyedBy: type)
  }
  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { nested().unkeyedContainer() }
  func superEncoder() -> any Encoder { nested() }
}

private struct SingleContainer: SingleValueEncodingContainer {
  let node: EncodedNode
  let codingPath: [any CodingKey]

  private func put(_ value: JSONValue) { node.content = .value(value) }

  func encodeNil() { put(.null) }
  func encode(_ value: Bool) { put(.bool(value)) }
  func encode(_ value: String) { put(.string(value)) }
  func encode(_ value: Double) throws { put(try EncodedNode.Child(number: value, at: codingPath).value) }
  func encode(_ value: Float) throws { try encode(Double(value)) }
  func encode(_ value: Int) { put(.number(DecimalNumber(value))) }
  func encode(_ value: Int8) { put(.number(DecimalNumber(value))) }
  func encode(_ value: Int16) { put(.number(DecimalNumber(value))) }
  func encode(_ value: Int32) { put(.number(DecimalNumber(value))) }
  func encode(_ value: Int64) { put(.number(DecimalNumber(value))) }
  func encode(_ value: UInt) { put(.number(DecimalNumber(value))) }
  func encode(_ value: UInt8) { put(.number(DecimalNumber(value))) }
  func encode(_ value: UInt16) { put(.number(DecimalNumber(value))) }
  func encode(_ value: UInt32) { put(.number(DecimalNumber(value))) }
  func encode(_ value: UInt64) { put(.number(DecimalNumber(value))) }
  func encode(_ value: some Encodable) throws {
    try value.encode(to: JSONValueEncoder(node: node, codingPath: codingPath))
  }
}

/// A key for what has none of its own: the place in an array, `super`.
struct PlaceKey: CodingKey {
  let stringValue: String
  let intValue: Int?

  static let `super` = PlaceKey(stringValue: "super")

  init(_ index: Int) {
    stringValue = "\(index)"
    intValue = index
  }

  init(stringValue: String) {
    self.stringValue = stringValue
    intValue = nil
  }

  init(intValue: Int) { self.init(intValue) }
}
