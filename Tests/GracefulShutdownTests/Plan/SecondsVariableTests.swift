import GracefulShutdown
import Testing

@Suite("Seconds in an environment variable")
struct SecondsVariableTests {
  private func read(_ value: String?, _ variable: SecondsVariable = .grace) throws(ConfigurationMistake) -> Duration? {
    try variable.read { $0 == variable.rawValue ? value : nil }
  }

  @Test("Not set, and empty, is nothing")
  func nothing() throws {
    #expect(try read(nil) == nil)
    #expect(try read("") == nil)
  }

  @Test(
    "Decimal numbers are taken to the last digit",
    arguments: [
      ("25", Duration.seconds(25)), ("2.5", .milliseconds(2500)), (".5", .milliseconds(500)), ("7.", .seconds(7)),
      ("0007", .seconds(7)), ("0.000000001", .nanoseconds(1)), ("315360000", .seconds(315_360_000)),
      ("0.0000000000000000019", Duration(secondsComponent: 0, attosecondsComponent: 1)),
    ])
  func numbers(text: String, duration: Duration) throws { #expect(try read(text) == duration) }

  @Test(
    "What is no number of seconds is a mistake that says so",
    arguments: [
      "soon", "25s", "25 s", " 25", "25\n", "1e3", "inf", "nan", "0x19", "+5", "--5", "-", ".", "1.2.3", "1,5", "٣",
      "-soon",
    ])
  func noNumber(text: String) {
    #expect(
      mistake(text)
        == "the environment variable GRACEFUL_GRACE_SECONDS is \"\(text)\"; it must be a number of seconds, as 30 or 2.5, or not be set"
    )
  }

  @Test(
    "Zero and less is a mistake",
    arguments: ["0", "-1", "-0", "0.0", "-.5", "0.0000000000000000001", "-99999999999999999999"])
  func tooLittle(text: String) { #expect(mistake(text)?.contains("it must be more than zero") == true) }

  @Test(
    "More than ten years is a mistake, however many digits it has",
    arguments: [
      "315360000.1", "315360001", "9999999999999", "99999999999999999999999999999999",
      "1\(String(repeating: "0", count: 10_000))",
    ])
  func tooMuch(text: String) { #expect(mistake(text)?.contains("it must not be more than ten years") == true) }

  private func mistake(_ text: String) -> String? {
    do throws(ConfigurationMistake) {
      _ = try read(text)
      return nil
    } catch {
      return error.description
    }
  }
}
