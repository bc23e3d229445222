/// What a lifecycle is told from outside: a grace, and when it is killed.
package struct OutsideSettings: Hashable, Sendable {
  /// In the place of the program's own.
  package var grace: Duration?
  package var platform: PlatformGrace?
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
}
