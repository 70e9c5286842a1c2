// Package sandbox takes from this process for good what it needs no more, so that a fault in a decoder of hostile video gives an
// attacker little: Landlock (Linux 5.13) limits files and TCP ports to those of a Policy, a seccomp filter refuses system calls that no
// service makes, and no_new_privs keeps programs from gaining rights. All threads of the process are restricted, those of C libraries
// too, and none can undo it.
package sandbox

import "errors"

// ErrMissing says that a part of the sandbox is not in force.
var ErrMissing = errors.New("not in force")

// Policy is what the process may still use. Its paths may be missing; what is made there later is then not reachable. None may be /.
type Policy struct {
	// Read has files and folders that may be read. A file alone is the file that is there now: another one that is renamed
	// onto it later cannot be read, unless its folder may be.
	Read []string
	// Write has folders in which files may be made, read, written and removed.
	Write []string
	// Devices has device files that may be read, written and controlled (ioctl).
	Devices []string
	// Connect has the TCP ports of other machines, 1…65535, that may be connected to. No TCP port may be bound any more.
	Connect []uint16
	// ConnectAny permits every port, for servers that name others while the process runs; Connect then means nothing.
	ConnectAny bool
}

// State is what is in force.
type State struct {
	// NoNewPrivs says that no program can gain rights by execve (prctl(2), PR_SET_NO_NEW_PRIVS).
	NoNewPrivs bool
	// Landlock is the version of the kernel's interface, from 1; 0: files are not limited. Connections are limited from TCPVersion on.
	Landlock int
	// Seccomp says that the filter of system calls is in force.
	Seccomp bool
}

// TCPVersion is the first version of Landlock that limits TCP ports (Linux 6.7).
const TCPVersion = 4

// Parts names what can be in force, and whether it is.
func (s State) Parts() map[string]bool {
	return map[string]bool{
		"no_new_privs": s.NoNewPrivs, "landlock": s.Landlock > 0, "landlock_tcp": s.Landlock >= TCPVersion, "seccomp": s.Seccomp,
	}
}

// Enter restricts the process as far as the kernel can. The error, which wraps ErrMissing, names each part that is not in force, and why;
// the other parts then are.
func Enter(p Policy) (State, error) { return enter(p) }
