import GracefulShutdown

/// One atomic step of one actor.
extension GateModel {
  mutating func step(_ index: Int) throws {
    let stripe = stripe(of: actors[index].script)
    switch actors[index].step {
    case .done: return
    case .toBegin:
      try touch("begin")
      beginOrRefuse(index, words[stripe])
    case .toExchange(let old):
      try touch("begin")
      guard let new = old.admitting, words[stripe] == old else { return beginOrRefuse(index, words[stripe]) }
      words[stripe] = new
      try admitted(index)
      if case .nested = actors[index].script {
        actors[index].step = .toOpenInside
      } else {
        actors[index].step = ending(index)
      }
    case .toOpenInside:
      try touch("open inside")
      openOrRefuse(index, words[stripe])
    case .toExchangeInside(let old):
      try touch("open inside")
      guard let new = old.admittingInside, words[stripe] == old else { return openOrRefuse(index, words[stripe]) }
      words[stripe] = new
      try admitted(index)
      actors[index].step = ending(index)
    case .toEnd(let left):
      try touch("end")
      let old = words[stripe]
      words[stripe] = old.ending
      ended(index, old, failed: false)
      goOn(index, left: left, last: old.endsTheLast)
    case .toCount:
      try touch("count")
      count(1, whileClosed: words[stripe].isClosed)
      actors[index].step = .toExchangeEnd(seen: words[stripe])
    case .toRecount(let seen, let counted):
      try touch("recount")
      if seen.isClosed != counted {
        count(-1, whileClosed: counted)
        count(1, whileClosed: seen.isClosed)
      }
      actors[index].step = .toExchangeEnd(seen: seen)
    case .toExchangeEnd(let seen):
      try touch("end")
      guard words[stripe] == seen else {
        actors[index].step = .toRecount(seen: words[stripe], counted: seen.isClosed)
        return
      }
      words[stripe] = seen.ending
      ended(index, seen, failed: true)
      goOn(index, left: 0, last: seen.endsTheLast)
    case .toShut:
      // The second of two that close does nothing.
      actors[index].step = isShut ? .done : .toCloseStripe(0, empty: 0)
      hasCallback = hasCallback || !isShut
      isShut = true
    case .toCloseStripe(let number, let empty): try close(index, number, empty)
    case .toCountDown(let count, let then):
      try touch("count down")
      remaining -= count
      if remaining < 0 { throw Breach(description: "counted down below zero") }
      actors[index].step = remaining == 0 ? .toTakeCallback(then: then) : after(then)
    case .toTakeCallback(let then):
      try touch("take the callback")
      actors[index].step = .toLetGo(callback: hasCallback, then: then)
      hasCallback = false
    case .toLetGo(let callback, let then):
      try touch("let go")
      letGo()
      actors[index].step = callback ? .toCallBack(then: then) : after(then)
    case .toCallBack(let then):
      callbacks += 1
      if callbacks > 1 { throw Breach(description: "called back twice") }
      if actors.contains(where: { $0.inside > 0 }) { throw Breach(description: "called back with somebody inside") }
      actors[index].step = after(then)
    case .toDrop:
      if isShut {
        try touch("drop")
        letGo()
        actors[index].step = .done
      } else {
        isShut = true
        actors[index].step = .toCloseStripe(0, empty: 0)
      }
    }
  }

  private mutating func close(_ index: Int, _ number: Int, _ empty: Int) throws {
    try touch("close")
    let old = words[number]
    words[number] = old.closing
    closedLive += old.live
    closedAdmitted += Int(old.admitted)
    let empty = empty + (old.live == 0 ? 1 : 0)
    let then: Afterwards = actors[index].script == .owner ? .drop : .done
    let isLast = number == words.count - 1
    actors[index].step =
      isLast ? .toCountDown(by: empty + 1, then: then) : .toCloseStripe(number + 1, empty: empty)
  }

  private func stripe(of script: Script) -> Int {
    switch script {
    case .session(let stripe, _), .nested(let stripe), .stale(let stripe): stripe
    case .closer, .owner: 0
    }
  }

  private func touch(_ what: String) throws {
    if isFreed { throw Breach(description: "\(what) after the memory was freed") }
  }

  private mutating func letGo() {
    holders -= 1
    isFreed = holders == 0
  }

  private mutating func beginOrRefuse(_ index: Int, _ seen: SessionWord) {
    actors[index].step = seen.admitting == nil ? .done : .toExchange(seen)
  }

  private mutating func openOrRefuse(_ index: Int, _ seen: SessionWord) {
    if seen.admittingInside != nil {
      actors[index].step = .toExchangeInside(seen)
    } else {
      actors[index].step = actors[index].inside > 0 ? .toEnd(left: 0) : .done
    }
  }

  private mutating func admitted(_ index: Int) throws {
    truth.admitted += 1
    actors[index].inside += 1
    if callbacks > 0 { throw Breach(description: "admitted after it had called back") }
  }

  private func ending(_ index: Int) -> Step {
    switch actors[index].script {
    case .session(_, .well), .stale: .toEnd(left: 0)
    case .session: .toCount
    case .nested: .toEnd(left: 1)
    case .closer, .owner: .done
    }
  }

  private mutating func ended(_ index: Int, _ old: SessionWord, failed: Bool) {
    actors[index].inside -= 1
    switch (failed, old.isClosed) {
    case (true, true): truth.failed.draining += 1
    case (true, false): truth.failed.open += 1
    case (false, true): truth.endedWellAfter += 1
    case (false, false): break
    }
  }

  private mutating func goOn(_ index: Int, left: Int, last: Bool) {
    let then: Afterwards = left > 0 ? .end(left: left - 1) : .done
    actors[index].step = last ? .toCountDown(by: 1, then: then) : after(then)
  }

  private func after(_ then: Afterwards) -> Step {
    switch then {
    case .end(let left): .toEnd(left: left)
    case .drop: .toDrop
    case .done: .done
    }
  }

  private mutating func count(_ difference: Int, whileClosed: Bool) {
    if whileClosed { failed.draining += difference } else { failed.open += difference }
  }
}
