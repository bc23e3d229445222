internal import NIOCore
internal import NIOHTTP1

/// The decoder of the clients' connections.
///
/// Its types are made once, by one thread, before the loops race for them: the runtime of Swift 6.3.1 can crash when two
/// threads are the first to use one generic class at the same moment.
enum ResponseDecoding {
  private static let firstUse: Void = {
    _ = ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes))
  }()

  static func handler() -> ByteToMessageHandler<HTTPResponseDecoder> {
    firstUse
    return ByteToMessageHandler(HTTPResponseDecoder(leftOverBytesStrategy: .dropBytes))
  }
}
