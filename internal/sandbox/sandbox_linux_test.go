package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// childEnv holds the task of a child process: a process that has entered a sandbox stays in it.
const childEnv = "LIVEPROOF_TEST_SANDBOX"

type task struct {
	Policy              Policy
	Readable, Secret    string // files
	Writable, Forbidden string // folders
	Open, Closed        string // addresses of listeners on ports that the policy names, and does not name
	OldKernel           bool   // landlock and seccomp are no system calls
}

// outcome is what the child saw: nil, or the text of an error.
type outcome struct {
	State   State
	Missing string
	Errors  map[string]string
	Threads []string // states of all threads, NoNewPrivs and Seccomp
}

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		child(text)
	}
	os.Exit(m.Run())
}

// child does the task and prints the outcome.
func child(text string) {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		panic(err)
	}
	if t.OldKernel {
		if err := forgetCalls(unix.SYS_LANDLOCK_CREATE_RULESET, unix.SYS_SECCOMP); err != nil {
			panic(err)
		}
	}
	ask, answers := make(chan func() error), make(chan error)
	var ready sync.WaitGroup
	ready.Add(1)
	go func() { // a thread that was there before the sandbox
		runtime.LockOSThread()
		ready.Done()
		for f := range ask {
			answers <- f()
		}
	}()
	ready.Wait()
	var o outcome
	var err error
	o.State, err = Enter(t.Policy)
	if o.Errors = map[string]string{}; err != nil {
		o.Missing = err.Error()
	}
	for name, try := range t.attempts() {
		if t.OldKernel && name != "read what is not named" {
			continue // the child would become another program
		}
		o.Errors[name] = textOf(try())
		ask <- try
		o.Errors[name+", on an older thread"] = textOf(<-answers)
	}
	o.Threads = threads()
	if err := json.NewEncoder(os.Stdout).Encode(o); err != nil {
		panic(err)
	}
	os.Exit(0)
}

// forgetCalls makes system calls fail as on a kernel that does not have them.
func forgetCalls(calls ...uint32) error {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: offsetCall, Size: sizeOfWord}}
	for _, c := range calls {
		program = append(program, on(c, failWith(unix.ENOSYS))...)
	}
	return load(append(program, bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}))
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	for _, e := range []syscall.Errno{syscall.EPERM, syscall.EACCES, syscall.ENOSYS} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	return err.Error()
}

func call(number uintptr, args ...uintptr) func() error {
	return func() error {
		var a [3]uintptr
		copy(a[:], args)
		if _, _, errno := syscall.Syscall(number, a[0], a[1], a[2]); errno != 0 {
			return errno
		}
		return nil
	}
}

func (t task) attempts() map[string]func() error {
	read := func(path string) func() error { return func() error { _, err := os.ReadFile(path); return err } }
	write := func(dir string) func() error {
		return func() error { return os.WriteFile(filepath.Join(dir, "new"), []byte("x"), 0o600) }
	}
	dial := func(address string) func() error {
		return func() error {
			c, err := net.Dial("tcp", address)
			if err != nil {
				return err
			}
			return c.Close()
		}
	}
	socket := func(family, kind, protocol int) func() error {
		return func() error {
			fd, err := unix.Socket(family, kind, protocol)
			if err != nil {
				return err
			}
			return unix.Close(fd)
		}
	}
	return map[string]func() error{
		"read what is named": read(t.Readable), "read what is not named": read(t.Secret),
		"write where it is named": write(t.Writable), "write beside what may be read": write(filepath.Dir(t.Readable)), "write elsewhere": write(t.Forbidden),
		"connect to a port that is named": dial(t.Open), "connect to another port": dial(t.Closed),
		"bind a port":                   func() error { l, err := net.Listen("tcp", "127.0.0.1:0"); return closed(l, err) },
		"a UDP socket":                  func() error { c, err := net.ListenPacket("udp", "127.0.0.1:0"); return closed(c, err) },
		"the addresses of this machine": func() error { _, err := net.InterfaceAddrs(); return err },
		"start a program":               func() error { return exec.Command("/bin/true").Run() },
		"become a program":              func() error { return syscall.Exec("/bin/true", []string{"true"}, nil) },
		"execveat":                      call(unix.SYS_EXECVEAT), "ptrace": call(unix.SYS_PTRACE), "mount": call(unix.SYS_MOUNT), "bpf": call(unix.SYS_BPF),
		"unshare": call(unix.SYS_UNSHARE, unix.CLONE_NEWUSER), "setns": call(unix.SYS_SETNS), "keyctl": call(unix.SYS_KEYCTL),
		"userfaultfd": call(unix.SYS_USERFAULTFD), "open_by_handle_at": call(unix.SYS_OPEN_BY_HANDLE_AT), "kexec": call(unix.SYS_KEXEC_LOAD),
		"a module": call(unix.SYS_INIT_MODULE), "process_vm_readv": call(unix.SYS_PROCESS_VM_READV), "io_uring": call(unix.SYS_IO_URING_SETUP),
		"a namespace by clone": call(unix.SYS_CLONE, unix.CLONE_NEWUSER|uintptr(unix.SIGCHLD)), "clone3": call(unix.SYS_CLONE3),
		"a packet socket": socket(unix.AF_PACKET, unix.SOCK_RAW, 0), "multipath TCP": socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP),
		"a new thread": newThread,
	}
}

func closed(c interface{ Close() error }, err error) error {
	if err != nil {
		return err
	}
	return c.Close()
}

// newThread makes threads: each goroutine keeps its own.
func newThread() error {
	var all sync.WaitGroup
	var hold sync.WaitGroup
	hold.Add(1)
	for range 20 {
		all.Go(func() {
			runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
			hold.Wait()
		})
	}
	hold.Done()
	all.Wait()
	return nil
}

func threads() (states []string) {
	found, _ := filepath.Glob("/proc/self/task/*/status")
	for _, path := range found {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		var state []string
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "NoNewPrivs:") || strings.HasPrefix(line, "Seccomp:") {
				state = append(state, strings.Join(strings.Fields(line), " "))
			}
		}
		states = append(states, strings.Join(state, " "))
	}
	return states
}

// newTask makes files, folders and listeners on both sides of the policy.
func newTask(t *testing.T) task {
	file := func(dir string) string {
		path := filepath.Join(dir, "file")
		require.NoError(t, os.WriteFile(path, []byte("content"), 0o600))
		return path
	}
	listen := func() (address string, port uint16) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		return l.Addr().String(), uint16(l.Addr().(*net.TCPAddr).Port)
	}
	k := task{Readable: file(t.TempDir()), Secret: file(t.TempDir()), Writable: t.TempDir(), Forbidden: t.TempDir()}
	var port uint16
	k.Open, port = listen()
	k.Closed, _ = listen()
	k.Policy = Policy{
		Read: []string{filepath.Dir(k.Readable), "/proc", "/etc/hosts", "/not/there"}, Write: []string{k.Writable}, Devices: []string{os.DevNull}, Connect: []uint16{port},
	}
	return k
}

func enterInChild(t *testing.T, k task) (o outcome) {
	t.Helper()
	raw, err := json.Marshal(k)
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(raw))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s", stderr.String())
	require.NoError(t, json.Unmarshal(out, &o), "%s", out)
	return o
}

func TestWhatIsLeft(t *testing.T) {
	o := enterInChild(t, newTask(t))
	t.Logf("%+v %s", o.State, o.Missing)
	eperm, eacces := syscall.EPERM.Error(), syscall.EACCES.Error()
	want := map[string]string{"a new thread": "", "a UDP socket": "", "the addresses of this machine": ""}
	if o.State.Seccomp {
		for _, name := range []string{
			"start a program", "become a program", "execveat", "ptrace", "mount", "bpf", "unshare", "setns", "keyctl", "userfaultfd",
			"open_by_handle_at", "kexec", "a module", "process_vm_readv", "io_uring", "a namespace by clone", "a packet socket", "multipath TCP",
		} {
			want[name] = eperm
		}
		want["clone3"] = syscall.ENOSYS.Error()
	}
	want["read what is named"], want["write where it is named"], want["connect to a port that is named"] = "", "", ""
	if o.State.Landlock > 0 {
		want["read what is not named"], want["write beside what may be read"], want["write elsewhere"] = eacces, eacces, eacces
	}
	if o.State.Landlock >= TCPVersion {
		want["connect to another port"], want["bind a port"] = eacces, eacces
	}
	for name, err := range want {
		require.Equal(t, err, o.Errors[name], name)
		require.Equal(t, err, o.Errors[name+", on an older thread"], "%s, on an older thread", name)
	}
	if o.State.Seccomp {
		require.NotEmpty(t, o.Threads)
		for _, state := range o.Threads {
			require.Equal(t, "NoNewPrivs: 1 Seccomp: 2", state, "of each thread")
		}
	}
	if o.State.Landlock == 0 || !o.State.Seccomp {
		t.Skipf("this kernel lacks a part, which was not tested (/sys/kernel/security/lsm says what it has): %s", o.Missing)
	}
}

// TestMissingPathsAreNoError: what is made there later is not reachable.
func TestMissingPathsAreNoError(t *testing.T) {
	o := enterInChild(t, task{Policy: Policy{Read: []string{"/not/there", "/proc"}, Write: []string{"/not/there"}, Devices: []string{"/dev/not-there"}}})
	if o.State.Landlock == 0 {
		t.Skip(o.Missing)
	}
	require.Empty(t, o.Missing)
	require.True(t, o.State.NoNewPrivs)
	for part, in := range o.State.Parts() {
		require.Equal(t, part != "landlock_tcp" || o.State.Landlock >= TCPVersion, in, part+strconv.Itoa(o.State.Landlock))
	}
}

// TestAnyPort: connections are free, and no port can be bound.
func TestAnyPort(t *testing.T) {
	k := newTask(t)
	k.Policy.ConnectAny = true
	o := enterInChild(t, k)
	if o.State.Landlock < TCPVersion {
		t.Skip("this kernel limits no ports: ", o.Missing)
	}
	require.Empty(t, o.Errors["connect to another port"])
	require.Equal(t, syscall.EACCES.Error(), o.Errors["bind a port"])
	require.Equal(t, syscall.EACCES.Error(), o.Errors["read what is not named"])
}

// TestOldKernel: where the kernel offers nothing, each missing part is named, and the process goes on.
func TestOldKernel(t *testing.T) {
	k := newTask(t)
	k.OldKernel = true
	o := enterInChild(t, k)
	require.Equal(t, State{NoNewPrivs: true}, o.State)
	require.Contains(t, o.Missing, "landlock not in force: this kernel does not offer it")
	require.Contains(t, o.Missing, "seccomp not in force: this kernel, or the container, does not offer it")
	require.Empty(t, o.Errors["read what is not named"])
}
