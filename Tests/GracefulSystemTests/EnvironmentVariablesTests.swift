import Foundation
import GracefulSystem
import Testing

@Suite("The environment", .serialized)
struct EnvironmentVariablesTests {
  @Test("is what getenv(3) says, of every variable")
  func all() {
    let all = EnvironmentVariables.all
    #expect(!all.isEmpty)
    for (name, value) in ProcessInfo.processInfo.environment where name != "GRACEFUL_TEST_VARIABLE" {
      #expect(all[name] == value)
      #expect(EnvironmentVariables.value(of: name) == value)
      #expect(EnvironmentVariables.bytes(of: name) == Array(value.utf8))
    }
  }

  @Test("has no variable of half a name, of none, or that is not set")
  func missing() throws {
    let name = try #require(ProcessInfo.processInfo.environment.keys.first { $0.count > 1 })
    #expect(EnvironmentVariables.value(of: String(name.dropLast()) + "\u{1}") == nil)
    #expect(EnvironmentVariables.value(of: "") == nil)
    #expect(EnvironmentVariables.value(of: "GRACEFUL_NOT_SET_ANYWHERE") == nil)
  }
}
