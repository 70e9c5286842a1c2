package sandbox

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// seccompData is struct seccomp_data as the interpreter of package bpf reads it: it is made for packets and takes numbers as big endian.
func seccompData(arch, number uint32, args ...uint32) []byte {
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[offsetCall:], number)
	binary.BigEndian.PutUint32(data[offsetArch:], arch)
	for i, a := range args {
		binary.BigEndian.PutUint32(data[offsetFirst+8*i:], a)
	}
	return data
}

// TestFilter runs the filter on calls that no test can make.
func TestFilter(t *testing.T) {
	program, err := filter()
	if err != nil {
		t.Skip(err)
	}
	vm, err := bpf.NewVM(program)
	require.NoError(t, err)
	const allow, eperm, enosys = unix.SECCOMP_RET_ALLOW, unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM), unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	const foreign = unix.AUDIT_ARCH_I386
	for _, c := range []struct {
		name string
		data []byte
		want uint32
	}{
		{"read", seccompData(nativeArch, unix.SYS_READ), allow},
		{"futex", seccompData(nativeArch, unix.SYS_FUTEX), allow},
		{"the last of the list", seccompData(nativeArch, refused[len(refused)-1]), eperm},
		{"execve", seccompData(nativeArch, unix.SYS_EXECVE), eperm},
		{"execve as int 0x80 has it", seccompData(foreign, 11), eperm},
		{"read as int 0x80 has it", seccompData(foreign, 3), eperm},
		{"execve of the x32 ABI", seccompData(nativeArch, x32Bit|520), enosys},
		{"clone3", seccompData(nativeArch, unix.SYS_CLONE3), enosys},
		{"clone of a thread", seccompData(nativeArch, unix.SYS_CLONE, unix.CLONE_VM|unix.CLONE_THREAD), allow},
		{"clone of a process", seccompData(nativeArch, unix.SYS_CLONE, uint32(unix.SIGCHLD)), eperm},
		{"clone of a namespace", seccompData(nativeArch, unix.SYS_CLONE, unix.CLONE_NEWUSER), eperm},
		{"TCP", seccompData(nativeArch, unix.SYS_SOCKET, unix.AF_INET6, unix.SOCK_STREAM, 0), allow},
		{"netlink", seccompData(nativeArch, unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, 0), allow},
		{"a number of another family's protocol", seccompData(nativeArch, unix.SYS_SOCKET, unix.AF_ALG, 0, 0), eperm},
		{"vsock", seccompData(nativeArch, unix.SYS_SOCKET, unix.AF_VSOCK, unix.SOCK_STREAM, 0), eperm},
		{"multipath TCP", seccompData(nativeArch, unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP), eperm},
	} {
		got, err := vm.Run(c.data)
		require.NoError(t, err)
		require.Equal(t, c.want, uint32(got), c.name)
	}
}
