import GracefulProcesses

/// Testing has an `ExitStatus` too; in these files ours is meant.
typealias ExitStatus = GracefulProcesses.ExitStatus
