package identity

import "golang.org/x/sys/unix"

// giveWay lowers the priority of the calling thread, which must be locked to its goroutine: it gets two thirds of the time of another thread
// that wants the same core. Where the kernel refuses, it stays as it is.
func giveWay() {
	const steps, least = 2, 19
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err != nil {
		return
	}
	nice := 20 - raw // the system call's own form
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, min(nice+steps, least))
}
