import GracefulDescriptors
import SystemPackage
import Testing

@Suite("An owned descriptor")
struct OwnedDescriptorTests {
  @Test("is closed once, when its owner goes")
  func closes() throws {
    let (reader, writer) = try FileDescriptor.pipe()
    defer { try? reader.close() }
    do { _ = OwnedDescriptor(adopting: writer) }
    // The writer has closed: the end of the stream, and no wait for more.
    var byte: UInt8 = 0
    #expect(try withUnsafeMutableBytes(of: &byte) { try reader.read(into: $0) } == 0)
  }

  @Test("is not closed when it was given away")
  func releases() throws {
    let (reader, writer) = try FileDescriptor.pipe()
    let owned = OwnedDescriptor(adopting: reader)
    #expect(owned.release() == reader)
    try writer.writeAll([1])
    try writer.close()
    try reader.close()
  }

  @Test("has a duplicate that lives on by itself")
  func duplicates() throws {
    let (reader, writer) = try FileDescriptor.pipe()
    defer { try? writer.close() }
    let owned = OwnedDescriptor(adopting: reader)
    let second = try owned.duplicate()
    owned.close()
    try writer.writeAll([7])
    var byte: UInt8 = 0
    _ = try withUnsafeMutableBytes(of: &byte) { try second.borrowed.read(into: $0) }
    #expect(byte == 7)
  }

  @Test("names itself when it cannot be duplicated")
  func fails() {
    let closed = OwnedDescriptor(adopting: FileDescriptor(rawValue: 1_000_000))
    do throws(SystemError) {
      _ = try closed.duplicate()
      Issue.record("what is not open was duplicated")
    } catch {
      #expect(error.subject == "descriptor 1000000")
      #expect(error.errno == .badFileDescriptor)
    }
  }
}
