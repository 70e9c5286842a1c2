package cpu

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const groups = "/sys/fs/cgroup"

// Read measures now. An error says which of getrusage, /proc/stat and the affinity cannot be read.
func Read() (Reading, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return Reading{}, fmt.Errorf("getrusage: %w", err)
	}
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return Reading{}, err
	}
	var mine unix.CPUSet
	if err := unix.SchedGetaffinity(0, &mine); err != nil {
		return Reading{}, fmt.Errorf("sched_getaffinity: %w", err)
	}
	idle, err := idleSeconds(stat, mine.IsSet)
	used := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return Reading{Cores: cores(), Used: used.Seconds(), Idle: idle}, err
}

// cores reads the quota itself, because GOMAXPROCS rounds a quota up, to at least 2.
func cores() float64 {
	most := float64(runtime.GOMAXPROCS(0))
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return most
	}
	for _, group := range controlGroups(string(own)) {
		if limit, err := quota(group.limit()); err == nil {
			most = min(most, limit)
		}
	}
	return most
}

// controlGroup is the folder of a control group of version 1 or 2.
type controlGroup struct {
	folder string
	v1     bool
}

// limit returns the text of cpu.max; version 1 has two files in its place.
func (g controlGroup) limit() string {
	read := func(name string) string {
		text, _ := os.ReadFile(path.Join(g.folder, name)) // the root, and groups of another namespace, have no such file
		return strings.TrimSpace(string(text))
	}
	if !g.v1 {
		return read("cpu.max")
	}
	most := read("cpu.cfs_quota_us")
	if most == "-1" {
		most = unlimited
	}
	return most + " " + read("cpu.cfs_period_us")
}

// controlGroups are those of this process and all their parents, from the text of /proc/self/cgroup.
func controlGroups(own string) (found []controlGroup) {
	for line := range strings.Lines(own) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, _ := strings.Cut(rest, ":")
		v1 := slices.Contains(strings.Split(controllers, ","), "cpu")
		if !v1 && controllers != "" || group == "" {
			continue
		}
		root := groups
		if v1 {
			root += "/cpu"
		}
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			found = append(found, controlGroup{path.Join(root, group), v1})
			if group == "/" {
				break
			}
		}
	}
	return found
}
