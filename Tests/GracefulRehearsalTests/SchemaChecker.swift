import Foundation
import Testing

/// As much of JSON Schema as `schemas/rehearsal-report-1.json` uses.
struct SchemaChecker {
  private let schema: [String: Any]

  init() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let data = try Data(contentsOf: root.appendingPathComponent("schemas/rehearsal-report-1.json"))
    schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  func problems(in value: Any) -> [String] { problems(value, schema, "report") }

  private func problems(_ value: Any, _ rule: [String: Any], _ path: String) -> [String] {
    if let reference = rule["$ref"] as? String {
      let name = String(reference.split(separator: "/").last ?? "")
      let target = (schema["$defs"] as? [String: Any])?[name] as? [String: Any]
      return target.map { problems(value, $0, path) } ?? ["\(path): no definition \(name)"]
    }
    var found: [String] = []
    if let types = rule["type"] as? [String] ?? (rule["type"] as? String).map({ [$0] }) {
      if !types.contains(where: { Self.matches(value, $0) }) { found.append("\(path): not \(types)") }
    }
    if let constant = rule["const"] as? Int, value as? Int != constant { found.append("\(path): not \(constant)") }
    if let words = rule["enum"] as? [String], !words.contains(value as? String ?? "") {
      found.append("\(path): none of \(words)")
    }
    if let least = rule["minimum"] as? Double, let number = value as? Double, number < least {
      found.append("\(path): below \(least)")
    }
    if let object = value as? [String: Any], let properties = rule["properties"] as? [String: [String: Any]] {
      for name in rule["required"] as? [String] ?? [] where object[name] == nil {
        found.append("\(path).\(name): missing")
      }
      for (name, member) in object {
        if let property = properties[name] {
          found += problems(member, property, "\(path).\(name)")
        } else if rule["additionalProperties"] as? Bool == false {
          found.append("\(path).\(name): not in the schema")
        }
      }
    }
    if let array = value as? [Any], let items = rule["items"] as? [String: Any] {
      found += array.enumerated().flatMap { problems($1, items, "\(path)[\($0)]") }
    }
    return found
  }

  private static func matches(_ value: Any, _ type: String) -> Bool {
    switch type {
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "string": value is String
    case "null": value is NSNull
    case "integer": (value as? Double).map { $0 == $0.rounded() } ?? false
    case "number": value is Double
    default: false
    }
  }
}
