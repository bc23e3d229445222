#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// From a document to its text and back.
///
/// FoundationEssentials only: the rest of Foundation would bring ICU with it, for nothing.
enum JSONText {
  /// The same document is always the same text: keys are sorted.
  static func text(of document: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Only a Double can fail to be encoded, by being no number, and there is none in our documents.
    let data = (try? encoder.encode(document)) ?? Data()
    return String(decoding: data, as: UTF8.self) + "\n"
  }

  static func decode<Document: Decodable>(
    _ document: Document.Type, from text: String
  ) throws(ReportFormatError) -> Document {
    do {
      return try JSONDecoder().decode(document, from: Data(text.utf8))
    } catch let error as DecodingError {
      throw ReportFormatError(error)
    } catch {
      throw ReportFormatError(.notJSON, at: "", "\(error)")
    }
  }
}
