import Foundation
import NIOCore

/// One connection: a request at a time, and to each what the tally says.
final class ConnectionHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// What the connection is doing; what is read while a request is answered waits in the reader.
  private enum State {
    case reading
    case busy
    /// Held back: the timer will answer it, unless the client leaves first.
    case delaying(RequestReader.Request, Scheduled<Void>)
    /// Our side is closed; what still comes is counted, not answered.
    case halfClosed
    case closed
  }

  private static let lingerLimit = TimeAmount.seconds(2)
  private let tally: Tally
  private let delay: TimeAmount
  private let spared: String?
  private var reader = RequestReader()
  private var state = State.reading

  init(tally: Tally, delay: TimeAmount, spared: String?) {
    self.tally = tally
    self.delay = delay
    self.spared = spared
  }

  func channelActive(context: ChannelHandlerContext) {
    tally.accepted()
    context.fireChannelActive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var bytes = unwrapInboundIn(data)
    reader.append(&bytes)
    serve(context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    if case .delaying(_, let timer) = state {
      timer.cancel()
      // It did not wait for the answer: the delay has had its effect.
      tally.end(.faulted(.delay))
    }
    state = .closed
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A client that resets the connection: whatever was in flight ends in channelInactive or in its write.
    context.close(promise: nil)
  }

  private func serve(_ context: ChannelHandlerContext) {
    do throws(RequestReader.NotUnderstood) {
      while true {
        switch state {
        case .busy, .delaying, .closed: return
        case .reading:
          guard let request = try reader.next() else { return }
          state = .busy
          if let spared, request.id?.hasPrefix(spared) == true {
            send(Answer.right(request, announcingClose: false), context) { sent in
              self.proceed(sent: sent, request, context)
            }
          } else {
            perform(tally.receive(), on: request, context)
          }
        case .halfClosed:
          guard try reader.next() != nil else { return }
          tally.cameTooLate()
        }
      }
    } catch {
      tally.didNotUnderstand()
      state = .busy
      send(Answer.notUnderstood, context) { _ in context.close(promise: nil) }
    }
  }

  private func perform(_ fault: Fault?, on request: RequestReader.Request, _ context: ChannelHandlerContext) {
    switch fault {
    case nil: answer(Answer.right(request, announcingClose: false), as: .answered, request, context)
    case .close: end(by: .close, context)
    case .reset:
      // SO_LINGER of zero: close() discards what is unsent and sends RST (socket(7), tcp(7)).
      guard let socket = context.channel as? any SocketOptionProvider else { return end(by: nil, context) }
      socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { result in
        self.end(by: (try? result.get()) == nil ? nil : .reset, context)
      }
    case .cut:
      send(Answer.cut(request), context) { sent in self.end(by: sent ? .cut : nil, context) }
    case .delay:
      let timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) {
        // Counted here: it has been held back for as long as it should, whether the client still listens or not.
        self.tally.end(.faulted(.delay))
        self.state = .busy
        self.send(Answer.right(request, announcingClose: false), context) { sent in
          self.proceed(sent: sent, request, context)
        }
      }
      state = .delaying(request, timer)
    case .badStatus: answer(Answer.badStatus(request), as: .faulted(.badStatus), request, context)
    case .wrongBody: answer(Answer.somebodyElses(request), as: .faulted(.wrongBody), request, context)
    case .announceClose:
      send(Answer.right(request, announcingClose: true), context) { sent in
        self.tally.end(sent ? .faulted(.announceClose) : .clientLeft)
        self.halfClose(context)
      }
    case .closeIdleAfter:
      // In the completion of the write, before anything more is read: the client has its answer and is most likely
      // still pausing. Half of the connection stays open to count what it had sent all the same.
      send(Answer.right(request, announcingClose: false), context) { sent in
        self.tally.end(sent ? .faulted(.closeIdleAfter) : .clientLeft)
        self.halfClose(context)
      }
    }
  }

  /// Sends a whole answer and counts it; the connection lives on unless the client has asked for its end.
  private func answer(
    _ text: String, as outcome: Tally.Outcome, _ request: RequestReader.Request, _ context: ChannelHandlerContext
  ) {
    send(text, context) { sent in
      self.tally.end(sent ? outcome : .clientLeft)
      self.proceed(sent: sent, request, context)
    }
  }

  private func proceed(sent: Bool, _ request: RequestReader.Request, _ context: ChannelHandlerContext) {
    guard case .busy = state else { return }
    if !sent || request.closes {
      halfClose(context)
    } else {
      state = .reading
      serve(context)
    }
  }

  /// Closes the connection and only then counts; nil when the fault could not be done.
  private func end(by fault: Fault?, _ context: ChannelHandlerContext) {
    context.close().assumeIsolated().whenComplete { result in
      switch (fault, result) {
      case (let fault?, .success): self.tally.end(.faulted(fault))
      case (nil, _), (_, .failure): self.tally.end(.clientLeft)
      }
    }
  }

  /// Closes our side, then listens until the client closes its own, so that no reset destroys the answer
  /// (RFC 9112 §9.6).
  private func halfClose(_ context: ChannelHandlerContext) {
    guard case .busy = state else { return }
    state = .halfClosed
    context.close(mode: .output).assumeIsolated().whenFailure { _ in context.close(promise: nil) }
    context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingerLimit) { context.close(promise: nil) }
    serve(context)
  }

  private func send(_ text: String, _ context: ChannelHandlerContext, _ done: @escaping (_ sent: Bool) -> Void) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: text))).assumeIsolated().whenComplete { result in
      done((try? result.get()) != nil)
    }
  }
}
