import Graceful

// *Stopping from outside*: files.

func stopByFiles(_ shop: Lifecycle) async {
  await shop.runAndExit(on: .signals, .files())
}

func stopByFilesOfItsOwn(_ shop: Lifecycle) async {
  let files = StopFiles(directory: "/run/shop")
  await shop.runAndExit(on: .signals, .files(files))
}

func stopByFilesWithoutALifecycle() async throws {
  let files = StopFiles()
  for await request in try files.requests() {
    print(request)
    break
  }
  await stopEverything()
  try files.signalStopped()
}

func askByFiles() async throws {
  try await StopFiles(directory: "/run/shop").requestStopAndWait(timeout: .seconds(30))
}

private func stopEverything() async {}
