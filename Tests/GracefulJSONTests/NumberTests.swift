import Foundation
import Testing

@testable import GracefulJSON

@Suite("A number in JSON")
struct NumberTests {
  private func seconds(_ json: String) throws -> Duration { try JSON.decode(Seconds.self, from: json).duration }

  @Test(
    "is a duration to the last digit",
    arguments: [
      ("0", Duration.zero), ("-0", .zero), ("1.5", .milliseconds(1500)), ("-1.005", .milliseconds(-1005)),
      ("0.000000000000000001", Duration(secondsComponent: 0, attosecondsComponent: 1)), ("1.5e3", .seconds(1500)),
      ("1500e-3", .milliseconds(1500)), ("12E+0", .seconds(12)), ("5e-1", .milliseconds(500)),
      ("0.0000000000000000019", Duration(secondsComponent: 0, attosecondsComponent: 1)), ("0e400", .zero),
      ("9223372036854775807", .seconds(Int64.max)),
    ])
  func durations(text: String, duration: Duration) throws { #expect(try seconds(text) == duration) }

  @Test(
    "that is no duration is refused", arguments: ["1e100", "9223372036854775808", "1e401", "\"1\"", "null", "true"])
  func noDurations(text: String) { #expect(throws: DecodingError.self) { try seconds(text) } }

  @Test("is written as few digits as it has")
  func written() throws {
    #expect(try JSON.text(of: Seconds(.milliseconds(-1005)), as: .line) == "-1.005")
    #expect(try JSON.text(of: Seconds(.nanoseconds(1)), as: .line) == "0.000000001")
    #expect(try JSON.text(of: Seconds(.seconds(Int64.max) + .seconds(1)), as: .line) == "9223372036854775807")
    #expect(Seconds(.seconds(5)).number(digits: 3).description == "5.000")
    #expect(Seconds(.milliseconds(-5)).number(digits: 3).description == "-0.005")
  }

  @Test("is whole, and in the range of its type, or refused with its place")
  func whole() throws {
    #expect(try JSON.decode([UInt8].self, from: "[255, 2.55e2, 0.0, 2550e-1]") == [255, 255, 0, 255])
    for bad in ["256", "-1", "1.5", "1e999"] {
      do {
        _ = try JSON.decode([UInt8].self, from: "[\(bad)]")
        Issue.record("\(bad) was read")
      } catch let DecodingError.dataCorrupted(context) {
        #expect(context.codingPath.first?.intValue == 0)
        #expect(context.debugDescription == "\(bad) is no whole number from 0 to 255")
      }
    }
  }

  @Test("is a Double for any other encoder, and read from any other decoder")
  func foundation() throws {
    let data = try JSONEncoder().encode([Seconds(.milliseconds(1500)), Seconds(.nanoseconds(1))])
    #expect(
      try JSONDecoder().decode([Seconds].self, from: data).map(\.duration) == [.milliseconds(1500), .nanoseconds(1)])
  }

  @Test("to the thousandth is rounded, and none where there is no number")
  func thousandths() {
    #expect(DecimalNumber(thousandths: 1.2345)?.description == "1.235")
    #expect(DecimalNumber(thousandths: 2)?.description == "2")
    #expect(DecimalNumber(thousandths: .infinity) == nil && DecimalNumber(thousandths: .nan) == nil)
  }
}
