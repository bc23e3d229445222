import Subprocess
import SystemPackage

/// Children of swift-subprocess that end while orphans are reaped: each is waited for by the code that started it.
enum ManyChildren {
  /// Each leaves an orphan that ends sooner, at the same time, or later than it does itself.
  private static let scripts = [
    "exit CODE", "(exec sleep 0.05) & exit CODE", "(sleep 0.02; sleep 0.02) & sleep 0.03; exit CODE",
    "for i in 1 2 3; do (exec sleep 0.0$i) & done; sleep 0.02; exit CODE", "(exec true) & sleep 0.3; exit CODE",
  ]

  static func run(saying say: @escaping @Sendable (String) -> Void) async {
    let count = 200
    var wrong: [String] = []
    await withTaskGroup(of: String?.self) { group in
      for number in 0..<count {
        // Sixteen at once: more are a test of the machine.
        if number >= 16, let result = await group.next(), let result { wrong.append(result) }
        group.addTask { await child(number) }
      }
      for await result in group { if let result { wrong.append(result) } }
    }
    // More than a hundred whose parents end at once are left for five seconds to the code that asks for their status.
    _ = try? await Subprocess.run(.path("/bin/sleep"), arguments: ["6"], output: .discarded)
    say("zombies \(FirstProcessProgram.zombies())\n")
    say("subprocess \(count - wrong.count) of \(count) \(wrong.prefix(3))\n")
  }

  /// - Returns: What was wrong with it.
  private static func child(_ number: Int) async -> String? {
    let code = Int32(number % 100)
    let script = scripts[number % scripts.count].replacing("CODE", with: "\(code)")
    do {
      let result = try await Subprocess.run(
        .path("/bin/sh"), arguments: ["-c", script], output: .discarded, error: .discarded)
      return result.terminationStatus == .exited(code) ? nil : "\(script): \(result.terminationStatus)"
    } catch {
      return "\(script): \(error)"
    }
  }
}
