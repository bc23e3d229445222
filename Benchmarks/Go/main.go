// Opens and ends phases of aelse/phase as Benchmarks/Phases does with ours: each with a goroutine that waits for its end.
//
//	go run . chain 10000 20
//	go run . siblings 100000 10
package main

import (
	"context"
	"fmt"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/aelse/phase"
)

// How long it took until all were open, and from the stop until all had ended.
func laps(shape string, count int) (up, down float64) {
	root, err := phase.Next(context.Background())
	if err != nil {
		panic(err)
	}
	var opened, ended sync.WaitGroup
	opened.Add(count)
	ended.Add(count)
	start := time.Now()
	var parent context.Context = root
	for i := 0; i < count; i++ {
		child, err := phase.Next(parent)
		if err != nil {
			panic(err)
		}
		if shape == "chain" {
			parent = child
		}
		go func() {
			opened.Done()
			<-child.Done()
			phase.Wait(child)
			phase.Close(child)
			ended.Done()
		}()
	}
	opened.Wait()
	up = time.Since(start).Seconds() * 1000
	stop := time.Now()
	phase.Cancel(root)
	ended.Wait()
	phase.Wait(root)
	return up, time.Since(stop).Seconds() * 1000
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: go run . chain|siblings COUNT RUNS")
		os.Exit(64)
	}
	count, _ := strconv.Atoi(os.Args[2])
	runs, _ := strconv.Atoi(os.Args[3])
	var up, down []float64
	for i := 0; i < runs; i++ {
		u, d := laps(os.Args[1], count)
		up, down = append(up, u), append(down, d)
	}
	sort.Float64s(up)
	sort.Float64s(down)
	fmt.Printf("%s of %d, median of %d: up %.1f ms, down %.1f ms\n", os.Args[1], count, runs, up[runs/2], down[runs/2])
}
