import CGracefulSystem
import Foundation
import GracefulDescriptors
import Synchronization
import SystemPackage
import TestHost

/// One of the programs of `TestProgram` as a real process, with its two outputs.
///
/// Killed at the end whatever happens.
final class ChildProgram: Sendable {
  let pid: Int32
  let output: Int32
  let errors: Int32
  private let ours: [Int32]
  /// What has been read of its standard error, by whichever call.
  private let said = Mutex("")
  private let hasSignalled = Mutex(false)

  /// Standard error is a pipe of its own, or the given one.
  ///
  /// - Parameter wrapper: A command that starts it: the path of its executable, and arguments.
  init(
    _ name: String, _ arguments: [String], environment entries: [String] = [],
    errors given: (read: Int32, write: Int32)? = nil, under wrapper: [String] = [], input: Int32? = nil
  ) throws {
    // The test program lies where the package's programs lie.
    let own = CommandLine.arguments[0]
    let directory = own.contains("/") ? String(own[..<(own.lastIndex(of: "/") ?? own.startIndex)]) : "."
    let path = FilePath(directory).appending("TestProgram").string
    var out: [Int32] = [-1, -1]
    var err: [Int32] = [-1, -1]
    guard cgs_pipe(&out) >= 0, cgs_pipe(&err) >= 0 else { throw Errno.tooManyOpenFiles }
    output = out[0]
    errors = given?.read ?? err[0]
    ours = out + err
    let pairs: [Int32] = [out[1], 1, given?.write ?? err[1], 2] + (input.map { [$0, 0] } ?? [])
    var argv: [UnsafeMutablePointer<CChar>?] = (wrapper + [path, name] + arguments).map { Self.copy($0) } + [nil]
    var environment: [UnsafeMutablePointer<CChar>?] = entries.map { Self.copy($0) } + [nil]
    defer { for case let string? in argv + environment { string.deallocate() } }
    pid = (wrapper.first ?? path).withCString { path in
      pairs.withUnsafeBufferPointer { pairs in
        argv.withUnsafeMutableBufferPointer { argv in
          environment.withUnsafeMutableBufferPointer { environment in
            var what = cgs_spawn(
              path: path, arguments: argv.baseAddress, environment: environment.baseAddress, directory: nil,
              descriptors: pairs.baseAddress, descriptor_pairs: pairs.count / 2)
            return cgs_spawn(&what)
          }
        }
      }
    }
    if pid < 0 { throw Errno(rawValue: -pid) }
  }

  deinit {
    var how = cgs_exit()
    if pid > 0, cgs_reap(pid, &how) >= 0, how.pid == 0 {
      _ = cgs_kill(pid, 9)
      // And waited for: Swift Testing's thread goes round at full speed on a child that has ended and is not reaped.
      _ = cgs_reap_waiting(pid, &how)
    }
    for descriptor in ours { _ = cgs_close(descriptor) }
  }

  /// Signals of one number within 20 ms are taken as one: so each but the first comes later than that.
  func signal(_ number: Int32) {
    let isFirst = hasSignalled.withLock { hasSignalled in
      defer { hasSignalled = true }
      return !hasSignalled
    }
    // sleeps on purpose: that nothing comes in this time is what is meant.
    if !isFirst { _ = cgs_poll(nil, 0, 30) }
    _ = cgs_kill(pid, number)
  }

  /// Sends a signal, and returns when the program has taken it: a second signal before that would be one with the first
  /// (signal(7): standard signals do not queue).
  func signalOnce(_ number: Int32, limit: Duration = .seconds(30)) async -> Bool {
    signal(number)
    let (path, until) = ("/proc/\(pid)/status", ContinuousClock.now + limit)
    return await Self.onOwnThread {
      while ContinuousClock.now < until {
        guard SignalSets(path)?.has(number, in: "ShdPnd") == true else { return true }
        _ = cgs_poll(nil, 0, 1)
      }
      return nil
    } ?? false
  }

  /// Reads until `word` has come.
  ///
  /// Nil after the limit.
  func wait(for word: String, on descriptor: Int32, limit: Duration = .seconds(30)) async -> String? {
    await Self.onOwnThread {
      let until = ContinuousClock.now + limit
      var text = ""
      while !text.contains(word) {
        guard ContinuousClock.now < until else { return nil }
        text += Self.read(descriptor, waiting: 100)
      }
      return text
    }
  }

  /// Reads its standard error until it has said something so many times.
  ///
  /// What was read is not lost to ``end(limit:)``.
  func hears(_ word: String, times: Int, limit: Duration = .seconds(30)) async -> Bool {
    await Self.onOwnThread { [self] in
      let until = ContinuousClock.now + limit
      while heard(waiting: 20).split(separator: word, omittingEmptySubsequences: false).count <= times {
        guard ContinuousClock.now < until else { return false }
      }
      return true
    } ?? false
  }

  /// Waits for its end: the exit code (negative: the signal that killed it), what is left in its standard error, and
  /// how long that took.
  ///
  /// Nil after the limit.
  func end(limit: Duration = .seconds(30)) async -> (code: Int32, errors: String, took: Duration)? {
    await Self.onOwnThread { [self] in
      let begin = ContinuousClock.now
      var how = cgs_exit()
      while ContinuousClock.now < begin + limit {
        guard cgs_reap(pid, &how) >= 0 else { return nil }
        if how.pid == pid {
          let took = ContinuousClock.now - begin
          return (how.signaled == 1 ? -how.code : how.code, heard(waiting: 0), took)
        }
        _ = heard(waiting: 20)
      }
      return nil
    }
  }

  /// How many seconds its report says that it took to stop: no matter how late its end is seen here.
  static func timeToStop(in errors: String) -> Double? {
    errors.firstMatch(of: /stopped in ([0-9.]+) s of/).flatMap { Double($0.1) }
  }

  /// What is in its standard output now and has not been read: all of it, when it has ended and wrote little.
  func printed() -> String { Self.read(output, waiting: 0) }

  private func heard(waiting milliseconds: Int32) -> String {
    let text = Self.read(errors, waiting: milliseconds)
    return said.withLock { said in
      said += text
      return said
    }
  }

  private static func read(_ descriptor: Int32, waiting milliseconds: Int32) -> String {
    var poll = cgs_poll(fd: descriptor, wanted: Int16(CGS_POLL_IN), happened: 0)
    guard descriptor >= 0, cgs_poll(&poll, 1, milliseconds) > 0 else { return "" }
    var bytes = [UInt8](repeating: 0, count: 65536)
    let count = cgs_read(descriptor, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
  }

  /// Waiting here blocks a thread; it must not be one of the pool.
  static func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result?) async -> Result? {
    guard let loop = try? PollLoop(name: "child") else { return nil }
    defer { loop.stop() }
    return await withCheckedContinuation { continuation in
      loop.execute { continuation.resume(returning: body()) }
    }
  }

  private static func copy(_ string: String) -> UnsafeMutablePointer<CChar> {
    let bytes = Array(string.utf8CString)
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count)
    copy.initialize(from: bytes, count: bytes.count)
    return copy
  }
}
