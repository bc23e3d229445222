import GracefulSystem
import Testing

@Suite("A byte reader")
struct ByteReaderTests {
  @Test("reads what was written, in network byte order")
  func roundTrip() {
    var bytes: [UInt8] = []
    bytes.appendNumber(UInt8(0x12))
    bytes.appendNumber(UInt16(0x3456))
    bytes.appendNumber(UInt32(0x789a_bcde))
    bytes.appendNumber(UInt64.max - 1)
    bytes.appendText("größer", atMost: 100)
    #expect(bytes.prefix(7) == [0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde])
    var reader = ByteReader(bytes)
    #expect(reader.number(UInt8.self) == 0x12)
    #expect(reader.number(UInt16.self) == 0x3456)
    #expect(reader.number(UInt32.self) == 0x789a_bcde)
    #expect(reader.number(UInt64.self) == UInt64.max - 1)
    #expect(!reader.isAtEnd)
    #expect(reader.text() == "größer")
    #expect(reader.isAtEnd)
  }

  @Test("has nothing where too little is left, or where it is no text")
  func tooLittle() {
    var short = ByteReader([1])
    #expect(short.number(UInt16.self) == nil)
    #expect(short.bytes(2) == nil)
    #expect(short.bytes(-1) == nil)
    #expect(short.number(UInt8.self) == 1)
    #expect(short.number(UInt8.self) == nil)
    var long = ByteReader([0, 5, 65])
    #expect(long.text() == nil)
    var wrong = ByteReader([0, 1, 0xff])
    #expect(wrong.text() == nil)
  }

  @Test("finds a text that was cut at the border of a character", arguments: 0...8)
  func cut(limit: Int) {
    var bytes: [UInt8] = []
    bytes.appendText("aöü€b", atMost: limit)
    var reader = ByteReader(bytes)
    let text = reader.text()
    #expect(text.map { "aöü€b".hasPrefix($0) && $0.utf8.count <= limit } == true)
    #expect(reader.isAtEnd)
  }
}
