// Package cpu measures how much processor time this process uses and how much
// it could use.
package cpu

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Reading is one measurement; the seconds are counters that may start at any value.
type Reading struct {
	Cores float64 // that this process may use: GOMAXPROCS, or the quota of its control group if that is less
	Used  float64 // seconds that this process has used, in all threads
	Idle  float64 // seconds that the cores of this process were idle, summed over them; NaN: not known
}

// ticks a second is the unit of /proc/stat (USER_HZ), the same on every Linux kernel.
const ticks = 100

// idleSeconds sums the idle time of the allowed cores, from the text of
// /proc/stat. The time of niced processes counts as idle, because they give way
// to others. The result is NaN if all values are 0, as in some sandboxes.
func idleSeconds(stat []byte, allowed func(core int) bool) (float64, error) {
	var idle, all float64
	for line := range bytes.Lines(stat) {
		core, columns, ok := coreLine(line)
		if !ok || !allowed(core) {
			continue
		}
		for i, column := range columns {
			n, err := strconv.ParseUint(column, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("/proc/stat: %w", err)
			}
			all += float64(n)
			if i == 1 || i == 3 || i == 4 { // niced, idle, idle while the disk works
				idle += float64(n)
			}
		}
	}
	if all == 0 {
		return math.NaN(), nil
	}
	return idle / ticks, nil
}

// coreLine splits a line such as "cpu7 1 2 3 4 …"; false for others, such as the sum of all cores.
func coreLine(line []byte) (core int, columns []string, ok bool) {
	fields := strings.Fields(string(line))
	if len(fields) < 6 {
		return 0, nil, false
	}
	number, ok := strings.CutPrefix(fields[0], "cpu")
	if !ok {
		return 0, nil, false
	}
	core, err := strconv.Atoi(number)
	return core, fields[1:], err == nil
}

// unlimited in cpu.max means no limit.
const unlimited = "max"

// quota reads cpu.max of a control group, and returns cores; +Inf without a limit.
func quota(text string) (float64, error) {
	fields := strings.Fields(text)
	if len(fields) != 2 {
		return 0, fmt.Errorf("cpu.max: %q", text)
	}
	if fields[0] == unlimited {
		return math.Inf(1), nil
	}
	most, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return 0, fmt.Errorf("cpu.max: %w", err)
	}
	period, err := strconv.ParseFloat(fields[1], 64)
	if err != nil || !(period > 0) || !(most > 0) {
		return 0, fmt.Errorf("cpu.max: %q", text)
	}
	return most / period, nil
}
