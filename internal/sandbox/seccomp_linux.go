package sandbox

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// refused are system calls that no part of the service makes once it serves: they start programs, reach into other processes or
// into the kernel, change what is mounted, or open ways around Landlock. Calls that only some processors have are in refusedHere.
var refused = []uint32{
	unix.SYS_EXECVE, unix.SYS_EXECVEAT,
	unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV, unix.SYS_KCMP, unix.SYS_PIDFD_GETFD, unix.SYS_PROCESS_MADVISE,
	unix.SYS_SETNS, unix.SYS_UNSHARE, unix.SYS_PERSONALITY,
	unix.SYS_MOUNT, unix.SYS_UMOUNT2, unix.SYS_PIVOT_ROOT, unix.SYS_CHROOT, unix.SYS_MOVE_MOUNT, unix.SYS_OPEN_TREE, unix.SYS_FSOPEN,
	unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSPICK, unix.SYS_MOUNT_SETATTR, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_MKNODAT,
	unix.SYS_SWAPON, unix.SYS_SWAPOFF, unix.SYS_QUOTACTL, unix.SYS_QUOTACTL_FD, unix.SYS_ACCT, unix.SYS_FANOTIFY_INIT,
	unix.SYS_INIT_MODULE, unix.SYS_FINIT_MODULE, unix.SYS_DELETE_MODULE, unix.SYS_KEXEC_LOAD, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_REBOOT,
	unix.SYS_BPF, unix.SYS_PERF_EVENT_OPEN, unix.SYS_USERFAULTFD, unix.SYS_IO_URING_SETUP, unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER,
	unix.SYS_ADD_KEY, unix.SYS_REQUEST_KEY, unix.SYS_KEYCTL,
	unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME, unix.SYS_CLOCK_ADJTIME, unix.SYS_ADJTIMEX, unix.SYS_SETHOSTNAME, unix.SYS_SETDOMAINNAME,
	unix.SYS_SYSLOG, unix.SYS_VHANGUP,
}

// families are the kinds of sockets that may be opened; netlink lists the machine's addresses.
var families = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

// Offsets in struct seccomp_data (seccomp(2)); of an argument's 64 bits the lower half, which is the first on the processors of nativeArch.
const (
	offsetCall    = 0
	offsetArch    = 4
	offsetFirst   = 16
	offsetThird   = offsetFirst + 2*8
	sizeOfWord    = 4
	x32Bit        = 0x40000000 // marks calls of the x32 ABI, which has numbers of its own for the same calls
	threadFlag    = unix.CLONE_THREAD
	protocolMPTCP = unix.IPPROTO_MPTCP
)

// enterSeccomp puts the filter on all threads, those of C libraries too, and sets no_new_privs for them.
func enterSeccomp() error {
	program, err := filter()
	if err != nil {
		return err
	}
	return load(program)
}

// load puts a program on all threads.
func load(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		code[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	runtime.LockOSThread() // no_new_privs is the thread's, and the filter hands it on to the others
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs: %w", err)
	}
	return install(&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})
}

func install(program *unix.SockFprog) error {
	at := unsafe.Pointer(program) //nolint:gosec // the kernel takes a pointer
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(at))
	switch {
	case errno != 0:
		return fmt.Errorf("this kernel, or the container, does not offer it: %w", errno)
	case thread != 0:
		return fmt.Errorf("thread %d already has a filter of its own", thread)
	}
	return nil
}

var errProcessor = errors.New("there is no filter for this processor: " + runtime.GOARCH)

// filter is the program that the kernel runs at each system call. Refused calls fail with EPERM. clone3 fails with ENOSYS, because its
// flags cannot be read here: the C library then uses clone, which may make threads only.
func filter() ([]bpf.Instruction, error) {
	if nativeArch == 0 {
		return nil, errProcessor
	}
	allow, eperm := bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}, failWith(unix.EPERM)
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetArch, Size: sizeOfWord},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: nativeArch, SkipTrue: 1},
		eperm, // calls of another architecture, such as int 0x80, have other numbers
		bpf.LoadAbsolute{Off: offsetCall, Size: sizeOfWord},
		bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: x32Bit, SkipFalse: 1},
		failWith(unix.ENOSYS),
	}
	program = append(program, on(unix.SYS_CLONE3, failWith(unix.ENOSYS))...)
	program = append(program, on(unix.SYS_CLONE, bpf.LoadAbsolute{Off: offsetFirst, Size: sizeOfWord},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: threadFlag, SkipFalse: 1}, allow, eperm)...)
	program = append(program, on(unix.SYS_SOCKET, sockets(allow, eperm)...)...)
	for _, call := range append(append([]uint32(nil), refused...), refusedHere...) {
		program = append(program, on(call, eperm)...)
	}
	return append(program, allow), nil
}

// on runs the instructions, which must return, if the call is this one.
func on(call uint32, then ...bpf.Instruction) []bpf.Instruction {
	return append([]bpf.Instruction{bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: call, SkipTrue: uint8(len(then))}}, then...)
}

// sockets refuses multipath TCP, whose ports Landlock does not see, and all families but those of the list.
func sockets(allow, eperm bpf.Instruction) []bpf.Instruction {
	program := []bpf.Instruction{
		bpf.LoadAbsolute{Off: offsetThird, Size: sizeOfWord},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: protocolMPTCP, SkipFalse: 1},
		eperm,
		bpf.LoadAbsolute{Off: offsetFirst, Size: sizeOfWord},
	}
	for _, family := range families {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: family, SkipFalse: 1}, allow)
	}
	return append(program, eperm)
}

func failWith(errno unix.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(errno)}
}
