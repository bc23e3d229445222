import Graceful

// *The lame-duck time*.

func shopWithALameDuck() -> Lifecycle {
  let shop = Lifecycle("shop", grace: .seconds(30), lameDuck: .atMost(.seconds(8), minimum: .seconds(2)))
  return shop
}
