import Graceful

@main struct Shop {
  static func main() async {
    let shop = Lifecycle("shop", grace: .seconds(25))
    let database = shop.phase("database", limit: .seconds(5)) { phase in
      let pool = try await Pool.open()
      phase.ready()  // what requires it may start now
      await phase.turnToStop()  // everything that required it has ended
      await pool.close()
    }
    let queue = shop.phase("pipeline", requires: database, service: Pipeline())  // any swift-service-lifecycle Service
    shop.phase("web", requires: queue, service: WebServer())
    await shop.runAndExit(on: .signals)  // or: let report = await shop.run()
  }
}
