import Logging

extension LifecycleLog {
  /// At the start: how long a stop may take, who said so, and whether the platform will kill before that.
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

  /// At the start: that a stop begins with a lame-duck time although the program does not say so, or with a shorter one.
  func note(_ lameDuck: LameDuck.Setting?, grace: Duration) {
    guard let lameDuck else { return }
    let plan = LameDuck.Plan(lameDuck, grace: grace)
    let limit = (plan?.limit ?? .zero).brief
    if lameDuck.origin != .program {
      write(
        .info, "a stop begins with a lame-duck time that is not the program's own",
        ["lifecycle.lame_duck": limit, "lifecycle.lame_duck.from": "\(lameDuck.origin)"])
    }
    guard plan?.isClipped ?? true else { return }
    write(
      .warning, "the lame-duck time is longer than half of what the grace leaves to drain, and is clipped to that",
      [
        "lifecycle.lame_duck": limit, "lifecycle.lame_duck.asked": lameDuck.time.limit.brief,
        "lifecycle.lame_duck.from": "\(lameDuck.origin)", "lifecycle.grace": grace.brief,
      ])
  }
}
