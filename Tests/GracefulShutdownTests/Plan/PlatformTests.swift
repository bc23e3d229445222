import GracefulShutdown
import Testing

@Suite("The platform, by what a process can see of it")
struct PlatformTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var variables: [String: String] = [:]
    var files: Set<String> = []
    var cgroup = "0::/\n"
    var parent: Int32 = 4000
    var grace: Duration?
    var source: PlatformGrace.Source?

    var settings: OutsideSettings {
      let (variables, files, cgroup) = (variables, files, cgroup)
      return OutsideSettings(
        ProcessSurroundings(
          variable: { variables[$0] }, exists: { files.contains($0) }, cgroup: { cgroup }, pid: 4711, parent: parent))
    }
  }

  private static let unit = "INVOCATION_ID"
  private static let started = "SYSTEMD_EXEC_PID"

  static let cases = [
    Case(testDescription: "a shell"),
    Case(
      testDescription: "a pod", variables: ["KUBERNETES_SERVICE_HOST": "10.0.0.1"], files: ["/run/.containerenv"],
      parent: 0, grace: .seconds(30), source: .kubernetes),
    Case(
      testDescription: "a pod that is told nothing", cgroup: "0::/kubepods.slice/kubepods-burstable.slice/x\n",
      grace: .seconds(30), source: .kubernetes),
    Case(testDescription: "a variable that is empty", variables: ["KUBERNETES_SERVICE_HOST": ""]),
    Case(
      testDescription: "a service of systemd", variables: [unit: "8f", started: "4711"], parent: 1, grace: .seconds(90),
      source: .systemd),
    Case(
      testDescription: "a service that a script starts", variables: [unit: "8f", started: "4000"], grace: .seconds(90),
      source: .systemd),
    Case(
      testDescription: "a service that notifies", variables: ["NOTIFY_SOCKET": "/run/systemd/notify", started: "4711"],
      parent: 1, grace: .seconds(90), source: .systemd),
    Case(
      testDescription: "a service of an older systemd", variables: [unit: "8f"], parent: 1, grace: .seconds(90),
      source: .systemd),
    Case(
      testDescription: "a service of a user, with an older systemd", variables: [unit: "8f", "MANAGERPID": "900"],
      parent: 900, grace: .seconds(90), source: .systemd),
    Case(
      testDescription: "a shell in a terminal of a desktop session",
      variables: [unit: "8f", started: "2222", "MANAGERPID": "900"]),
    Case(testDescription: "the same with an older systemd", variables: [unit: "8f", "MANAGERPID": "900"]),
    Case(
      testDescription: "left behind by such a shell", variables: [unit: "8f", started: "2222", "MANAGERPID": "900"],
      parent: 900),
    Case(testDescription: "without any sign of systemd, below process 1", parent: 1),
    Case(
      testDescription: "a container of Docker", files: ["/.dockerenv"], parent: 0, grace: .seconds(10),
      source: .container),
    Case(
      testDescription: "a container of Podman", variables: ["container": "podman"], files: ["/run/.containerenv"],
      grace: .seconds(10), source: .container),
    Case(
      testDescription: "a container, by its cgroup", cgroup: "12:pids:/docker/0123\n0::/system.slice\n",
      grace: .seconds(10), source: .container),
    Case(
      testDescription: "a container under systemd", cgroup: "0::/system.slice/docker-0123.scope\n", grace: .seconds(10),
      source: .container),
    Case(testDescription: "the daemon of Docker", cgroup: "0::/system.slice/docker.service\n"),
    Case(
      testDescription: "said by hand",
      variables: ["GRACEFUL_PLATFORM_GRACE_SECONDS": "7.5", "KUBERNETES_SERVICE_HOST": "x"],
      grace: .milliseconds(7500), source: .environment),
    Case(
      testDescription: "said by hand, but empty",
      variables: ["GRACEFUL_PLATFORM_GRACE_SECONDS": "", "KUBERNETES_SERVICE_HOST": "x"], grace: .seconds(30),
      source: .kubernetes),
  ]

  @Test("is known, or is not", arguments: cases)
  func table(expected: Case) {
    let settings = expected.settings
    #expect(settings.platform?.duration == expected.grace)
    #expect(settings.platform?.source == expected.source)
    #expect(settings.mistakes.isEmpty)
    #expect(settings.grace == nil)
  }

  @Test("Both variables can be wrong, and both are reported")
  func mistakes() {
    let variables = ["GRACEFUL_GRACE_SECONDS": "soon", "GRACEFUL_PLATFORM_GRACE_SECONDS": "-1"]
    let settings = Case(testDescription: "", variables: variables).settings
    #expect(settings.mistakes.count == 2)
    #expect((settings.grace, settings.platform) == (nil, nil))
  }
}
