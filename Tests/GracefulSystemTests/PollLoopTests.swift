import CGracefulSystem
import GracefulSystem
import Synchronization
import SystemPackage
import Testing

@Suite("A poll loop", .serialized)
struct PollLoopTests {
  @Test("runs what it is given in order, from many threads, and loses nothing")
  func order() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let seen = Recorder()
    await withTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          for step in 0..<500 { loop.execute { seen.append(writer * 1000 + step) } }
        }
      }
    }
    await withCheckedContinuation { done in loop.execute { done.resume() } }
    let all = seen.values
    #expect(all.count == 2000)
    for writer in 0..<4 {
      let own = all.filter { $0 / 1000 == writer }
      #expect(own == own.sorted())
    }
  }

  @Test("wakes from its wait for each single change, a thousand times in turn")
  func wakes() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    for _ in 0..<1000 {
      await withCheckedContinuation { done in loop.execute { done.resume() } }
    }
  }

  @Test("reports once where that is asked for, and may be told to watch the same descriptor again")
  func oneShot() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let pipe = try WakePipe(for: "test")
    pipe.wake()
    let seen = Recorder()
    for round in 0..<3 {
      // It stays readable: a watch that did not end would report again at once.
      await withCheckedContinuation { done in
        _ = loop.watchOnce(pipe.reader, .readable) { _ in
          seen.append(round)
          done.resume()
        }
      }
      await withCheckedContinuation { done in loop.execute { done.resume() } }
    }
    #expect(seen.values == [0, 1, 2])
    let over = await withCheckedContinuation { done in
      loop.execute {
        let id = loop.watchOnce(pipe.reader, .readable) { _ in seen.append(3) }
        done.resume(returning: [loop.unwatch(id), loop.unwatch(id)])
      }
    }
    #expect(over == [true, false])
    await withCheckedContinuation { done in loop.execute { done.resume() } }
    #expect(seen.values == [0, 1, 2])
  }

  @Test("runs timers at their instant, in the order of their instants, and not the cancelled one")
  func timers() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let seen = Recorder()
    let start = ContinuousClock.now
    await withCheckedContinuation { done in
      loop.execute {
        _ = loop.schedule(at: start + .milliseconds(30)) {
          seen.append(3)
          done.resume()
        }
        _ = loop.schedule(at: start + .milliseconds(10)) { seen.append(1) }
        let cancelled = loop.schedule(at: start + .milliseconds(15)) { seen.append(-1) }
        _ = loop.schedule(at: start + .milliseconds(20)) { seen.append(2) }
        loop.cancel(cancelled)
      }
    }
    #expect(seen.values == [1, 2, 3])
    #expect(ContinuousClock.now - start >= .milliseconds(30))
  }

  @Test("reports a readable descriptor, and the hang-up of its other end, until the watch is taken back")
  func watches() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let (reader, writer) = try FileDescriptor.pipe()
    defer { try? reader.close() }
    try writer.writeAll([1])
    let seen = Recorder()
    await withCheckedContinuation { done in
      loop.execute {
        let watch = Mutex<PollLoop.WatchID?>(nil)
        let box = Box(watch)
        let id = loop.watch(reader.rawValue, .readable) { readiness in
          if readiness.contains(.readable) {
            var byte: UInt8 = 0
            _ = withUnsafeMutableBytes(of: &byte) { try? reader.read(into: $0) }
            seen.append(Int(byte))
            try? writer.close()
          } else if readiness.contains(.hangup) {
            seen.append(-1)
            if let id = box.value.withLock({ $0 }) { loop.unwatch(id) }
            done.resume()
          }
        }
        box.value.withLock { $0 = id }
      }
    }
    await withCheckedContinuation { done in loop.execute { done.resume() } }
    #expect(seen.values == [1, -1])
  }

  @Test("tells once of a watched descriptor that was closed, and does not spin on it")
  func closedWhileWatched() async throws {
    let loop = try PollLoop(name: "test")
    defer { loop.stop() }
    let (pipe, writer) = try FileDescriptor.pipe()
    defer { try? writer.close() }
    // As high as there is: a low number would be another test's at once when it is closed.
    let reader = try pipe.duplicate(as: FileDescriptor(rawValue: CInt(min(cgs_descriptor_limit(), 60_000)) - 1))
    try pipe.close()
    let seen = Recorder()
    await withCheckedContinuation { done in
      loop.execute {
        try? reader.close()
        _ = loop.watch(reader.rawValue, .readable) { readiness in
          seen.append(readiness.contains(.invalid) ? 1 : 0)
          // Behind this, several more rounds of the loop.
          loop.execute {
            loop.execute { loop.execute { _ = loop.schedule(at: .now + .milliseconds(20)) { done.resume() } } }
          }
        }
      }
    }
    #expect(seen.values == [1])
  }
}

final class Recorder: Sendable {
  private let list = Mutex<[Int]>([])
  var values: [Int] { list.withLock { $0 } }
  func append(_ value: Int) { list.withLock { $0.append(value) } }
}

final class Box<Value: ~Copyable>: Sendable where Value: Sendable {
  let value: Value
  init(_ value: consuming Value) { self.value = value }
}
