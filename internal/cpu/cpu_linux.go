package cpu

import (
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const groups = "/sys/fs/cgroup"

// Read measures now.
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

// cores asks for the quota too, because GOMAXPROCS rounds one up, and to at least
// 2.
func cores() float64 {
	most := float64(runtime.GOMAXPROCS(0))
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return most
	}
	for _, file := range quotaFiles(string(own)) {
		if text, err := os.ReadFile(file); err == nil {
			if limit, err := quota(text); err == nil {
				most = min(most, limit)
			}
		}
	}
	return most
}

// quotaFiles names cpu.max of this process's control group and of all above it, in version 2.
func quotaFiles(own string) (files []string) {
	for line := range strings.Lines(own) {
		group, ok := strings.CutPrefix(strings.TrimSpace(line), "0::")
		if !ok {
			continue
		}
		for group = path.Clean("/" + group); ; group = path.Dir(group) {
			files = append(files, path.Join(groups, group, "cpu.max"))
			if group == "/" {
				return files
			}
		}
	}
	return files
}
