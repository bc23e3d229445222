internal import Foundation

/// Holds JSON against a schema of this package: as much of JSON Schema 2020-12 as these use.
///
/// It is stricter than they are: a key that the schema does not know is a problem, whatever the schema allows to later
/// versions. A keyword that it does not know itself is one, too, rather than passed over.
public struct SchemaChecker {
  private let schema: [String: Any]

  private static let keywords: Set = [
    "$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "minimum", "maximum", "properties",
    "required", "additionalProperties", "items", "oneOf",
  ]

  /// What keeps a schema from being read.
  public struct Unreadable: Error, CustomStringConvertible {
    /// Which one.
    public var description: String
  }

  /// - Parameter name: Of the schema: `lifecycle-report-1`.
  public init(_ name: String) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let data = try Data(contentsOf: root.appendingPathComponent("schemas/\(name).json"))
    guard let schema = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw Unreadable(description: "schemas/\(name).json is no object")
    }
    self.schema = schema
  }

  /// What is wrong with a document, and where; empty when nothing is.
  public func problems(in document: Any) -> [String] { problems(document, schema, "$") }

  /// What is wrong with a text, and where; empty when nothing is.
  public func problems(inText text: String) throws -> [String] {
    problems(in: try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed))
  }

  private func problems(_ value: Any, _ rule: [String: Any], _ path: String) -> [String] {
    if let reference = rule["$ref"] as? String {
      let name = String(reference.split(separator: "/").last ?? "")
      let target = (schema["$defs"] as? [String: Any])?[name] as? [String: Any]
      return target.map { problems(value, $0, path) } ?? ["\(path): no definition \(name)"]
    }
    var found = rule.keys.filter { !Self.keywords.contains($0) }.map { "\(path): the keyword \($0) is not known" }
    if let types = rule["type"] as? [String] ?? (rule["type"] as? String).map({ [$0] }) {
      if !types.contains(where: { Self.matches(value, $0) }) { found.append("\(path): not \(types)") }
    }
    if let constant = rule["const"], !Self.isSame(value, constant) { found.append("\(path): not \(constant)") }
    if let values = rule["enum"] as? [Any], !values.contains(where: { Self.isSame(value, $0) }) {
      found.append("\(path): none of \(values)")
    }
    if let number = Self.number(value) {
      if let least = rule["minimum"] as? Double, number < least { found.append("\(path): below \(least)") }
      if let most = rule["maximum"] as? Double, number > most { found.append("\(path): above \(most)") }
    }
    if let alternatives = rule["oneOf"] as? [[String: Any]] {
      let tries = alternatives.map { problems(value, $0, path) }
      let fitting = tries.count { $0.isEmpty }
      if fitting != 1 { found.append("\(path): \(fitting) of \(tries.count) alternatives fit: \(tries)") }
    }
    if let object = value as? [String: Any], let properties = rule["properties"] as? [String: [String: Any]] {
      for name in rule["required"] as? [String] ?? [] where object[name] == nil {
        found.append("\(path).\(name): missing")
      }
      for (name, member) in object {
        if let property = properties[name] {
          found += problems(member, property, "\(path).\(name)")
        } else {
          found.append("\(path).\(name): not in the schema")
        }
      }
    }
    if let array = value as? [Any], let items = rule["items"] as? [String: Any] {
      found += array.enumerated().flatMap { problems($1, items, "\(path)[\($0)]") }
    }
    return found
  }

  /// As a Double, also when that does not hold all of its digits.
  private static func number(_ value: Any) -> Double? { (value as? NSNumber)?.doubleValue }

  private static func isSame(_ one: Any, _ other: Any) -> Bool {
    switch (one, other) {
    case (let one as String, let other as String): one == other
    default: one is NSNull && other is NSNull || Self.number(one).map { $0 == Self.number(other) } ?? false
    }
  }

  private static func matches(_ value: Any, _ type: String) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "null": value is NSNull
    case "boolean": value is Bool
    case "integer": number(value).map { $0 == $0.rounded() } ?? false
    case "number": number(value) != nil
    default: false
    }
  }
}
