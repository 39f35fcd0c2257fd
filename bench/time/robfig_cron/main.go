// The peer's side of bench_cron: the same chains with robfig/cron 3 of Debian (golang-go, golang-github-robfig-cron-dev).
// GO111MODULE=off GOPATH=/usr/share/gocode go run bench/time/robfig_cron/main.go
package main

import (
	"fmt"
	"time"

	"github.com/robfig/cron"
)

const answers = 200000

func chain(expression string, zone *time.Location) float64 {
	schedule, err := cron.ParseStandard(expression)
	if err != nil {
		panic(err)
	}
	start := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC).In(zone)
	turn := start.AddDate(74, 0, 0)
	at := start
	begin := time.Now()
	for i := 0; i < answers; i++ {
		at = schedule.Next(at)
		if at.IsZero() || at.After(turn) {
			at = start
		}
	}
	return float64(time.Since(begin).Nanoseconds()) / answers
}

func main() {
	expressions := []string{"*/5 * * * *", "30 2 * * *", "0 0 * * MON-FRI", "15 10 1,15 * *", "0 0 29 2 *"}
	for _, name := range []string{"UTC", "America/New_York"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			panic(err)
		}
		sum := 0.0
		for _, expression := range expressions {
			ns := chain(expression, zone)
			sum += ns
			fmt.Printf("%-18s %-16s %9.1f ns  %8.4f M/s\n", name, expression, ns, 1e3/ns)
		}
		ns := sum / float64(len(expressions))
		fmt.Printf("%-18s all five         %9.1f ns  %8.4f M/s\n", name, ns, 1e3/ns)
	}
}
