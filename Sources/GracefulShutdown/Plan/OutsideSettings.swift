/// What a lifecycle is told from outside: a grace, when it is killed, and for how long it serves on as a lame duck.
package struct OutsideSettings: Hashable, Sendable {
  /// In the place of the program's own.
  package var grace: Duration?
  package var platform: PlatformGrace?
  /// In the place of the program's own; zero is none.
  package var lameDuck: Duration?
  /// Whether there is a lame-duck time although it was not asked for.
  package var isKubernetes = false
  /// What was said so that it cannot be understood.
  package var mistakes: [ConfigurationMistake] = []

  /// Nothing is said.
  package init() {}

  package init(_ process: ProcessSurroundings) {
    do throws(ConfigurationMistake) {
      grace = try SecondsVariable.grace.read(process.variable)
    } catch {
      mistakes.append(error)
    }
    do throws(ConfigurationMistake) {
      lameDuck = try SecondsVariable.lameDuck.read(process.variable)
    } catch {
      mistakes.append(error)
    }
    isKubernetes = process.isSet("KUBERNETES_SERVICE_HOST")
    do throws(ConfigurationMistake) {
      platform =
        try SecondsVariable.platformGrace.read(process.variable).map { PlatformGrace($0, .environment) }
        ?? process.platform
    } catch {
      mistakes.append(error)
    }
  }

  /// What holds, when the program itself says this.
  package func setting(_ own: Duration) -> GraceSetting {
    grace.map { GraceSetting($0, from: .environment) } ?? GraceSetting(own)
  }

  /// What holds, when the program itself says this; `nil` for none.
  ///
  /// What is said from outside is how long it may be at most: what else there is to say, is the program's.
  package func setting(_ own: LameDuck) -> LameDuck.Setting? {
    let asked: LameDuck.Setting? =
      switch own.kind {
      case .lasting(let time): LameDuck.Setting(time)
      case .none: nil
      case .automatic: isKubernetes ? LameDuck.Setting(LameDuck.Timing(limit: .seconds(5)), from: .kubernetes) : nil
      }
    guard let lameDuck else { return asked }
    guard lameDuck > .zero else { return nil }
    let time = LameDuck.Timing(
      limit: lameDuck, minimum: asked?.time.minimum ?? LameDuck.Timing.defaultMinimum,
      quiet: asked?.time.quiet ?? LameDuck.Timing.defaultQuiet)
    return LameDuck.Setting(time, from: .environment)
  }
}
