internal import CGracefulSystem
internal import GracefulDescriptors
internal import GracefulProcesses

/// What a program has to do beside its work when it is process 1, the first one of a container.
///
/// Nothing of this happens in any other process.
///
/// **Signals.** The kernel drops a signal that process 1 has no handler for (pid_namespaces(7)). So SIGTERM, SIGINT, SIGQUIT,
/// SIGHUP, SIGUSR1 and SIGUSR2 are kept from before `main` on, where their disposition is still the default, and the first
/// listener (``Lifecycle/runAndExit(on:)``, ``SignalSource``, ``SignalArrivals``) is told of each that came, once. What comes
/// before the dynamic loader is done cannot be kept.
///
/// **Orphans.** A process that loses its parent becomes a child of process 1 and, once it has ended, stays as a zombie until
/// process 1 takes its exit status. From when a lifecycle runs, orphans are looked for every second, and
/// - the status of a child is never taken when this package started it, when a pidfd in this process stands for it
///   (swift-subprocess holds such), when a thread of this process other than the first was seen to have started it
///   (proc_tid_children(5)), or when it was named to ``leave(_:)``;
/// - a child that was seen below another process before is an orphan, and its status is taken at once;
/// - of any other child, which the first thread, or a thread that has ended, may have started, it cannot be known: its status
///   is left for 60 s to the code that asks (Foundation's `Process` and every `waitpid` ask at once), and then taken; for 5 s
///   when there are more than 100 of these.
///
/// A program without children costs one system call a second.
public enum FirstProcess {
  /// Whether this process is process 1.
  public static var isThis: Bool { cgs_process_id() == 1 }

  /// Never takes the status of this child: the program asks for it itself, perhaps more than a minute after its end.
  ///
  /// Elsewhere than in process 1 it does nothing.
  public static func leave(_ process: Int32) {
    if isThis { reaper?.leave(ProcessID(rawValue: process)) }
  }

  /// Begins to look for orphans, once.
  static func begin() {
    if isThis { _ = reaper }
  }

  /// `nil` when there is no descriptor or no thread left for it: zombies are no reason not to run.
  private static let reaper: Subreaper? = {
    guard let loop = try? PollLoop(name: "graceful-first") else { return nil }
    let reaper = Subreaper(
      ofProcessOneOn: loop, every: .seconds(1), patience: { $0 > 100 ? .seconds(5) : .seconds(60) },
      isWatched: { WatchedProcesses.watched() }, isOwn: { WatchedProcesses.startedHere() })
    reaper.start()
    return reaper
  }()
}
