import Logging

extension LifecycleLog {
  /// At the start: how long a stop may take, who said so, and whether somebody will kill before that.
  func note(_ grace: GraceSetting, within platform: PlatformGrace?) {
    if grace.origin != .program {
      write(
        .notice, "the grace is not the program's own",
        ["lifecycle.grace": grace.duration.brief, "lifecycle.grace.from": "\(grace.origin)"])
    }
    guard let platform, platform.duration < grace.duration else { return }
    write(
      .warning,
      "the platform kills this program \(platform.duration.brief) after it has asked it to stop, and the grace is"
        + " \(grace.duration.brief): \(platform.advice(for: grace))",
      [
        "lifecycle.grace": grace.duration.brief, "lifecycle.grace.from": "\(grace.origin)",
        "platform.grace": platform.duration.brief, "platform.grace.from": "\(platform.source)",
      ])
  }
}
