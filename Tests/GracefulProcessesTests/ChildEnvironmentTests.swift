import GracefulProcesses
import Testing

@Suite("The environment of a child") struct ChildEnvironmentTests {
  @Test(
    "A variable stays or goes by its name",
    arguments: [
      ("PATH", true), ("HOME", true), ("NOTIFY_SOCKET", true), ("WATCHDOG_USEC", true), ("LISTENER", true),
      ("MY_GRACEFUL_X", true), ("LISTEN_FDS", false), ("LISTEN_PID", false), ("LISTEN_FDNAMES", false),
      ("WATCHDOG_PID", false), ("GRACEFUL_REHEARSAL_PAUSE", false), ("GRACEFUL_PLAN", false), ("GRACEFUL_PLANS", true),
      ("GRACEFUL_REPORT_FILE", true), ("GRACEFUL_GRACE_SECONDS", true), ("GRACEFUL_PLATFORM_GRACE_SECONDS", true),
    ])
  func staysOrGoes(name: String, stays: Bool) {
    #expect(ChildEnvironment.cleaned([name: "x"]) == (stays ? [name: "x"] : [:]))
  }

  @Test("What is written for the child is kept whatever its name, and wins over what is inherited")
  func own() {
    let cleaned = ChildEnvironment.cleaned(
      ["GRACEFUL_PLAN": "old", "B": "old", "C": "c"], adding: ["GRACEFUL_PLAN": "new", "B": "new"])
    #expect(cleaned == ["GRACEFUL_PLAN": "new", "B": "new", "C": "c"])
  }
}
