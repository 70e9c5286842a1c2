package sandbox

import (
	"errors"
	"fmt"
	"os"

	"github.com/landlock-lsm/go-landlock/landlock"
	"github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Landlock's rights on files (landlock(7)). Reading a file includes mapping it as code; nothing may be executed.
const (
	readFiles = landlock.AccessFSSet(syscall.AccessFSReadFile)
	read      = readFiles | syscall.AccessFSReadDir
	// writing leaves out special files and links.
	writing = read | syscall.AccessFSWriteFile | syscall.AccessFSTruncate | syscall.AccessFSMakeReg | syscall.AccessFSMakeDir |
		syscall.AccessFSRemoveFile | syscall.AccessFSRemoveDir
	control = readFiles | syscall.AccessFSWriteFile | syscall.AccessFSIoctlDev
)

// enterLandlock returns the version that is in force, 0 after an error.
func enterLandlock(p Policy) (version int, err error) {
	version, err = syscall.LandlockGetABIVersion()
	if err != nil {
		return 0, fmt.Errorf("this kernel does not offer it (%w); it needs Linux 5.13 and lsm=landlock,… at boot, and a container must be allowed to use it", err)
	}
	// BestEffort leaves out what this kernel's version does not know. From version 9 on sockets of other programs (Redis's unix://) would
	// need rules, and from 10 on UDP, on which media come from any port.
	limits := landlock.V8
	if p.ConnectAny {
		limits.HandledAccessNet &^= syscall.AccessNetConnectTCP
	}
	if err := limits.BestEffort().Restrict(p.rules()...); err != nil {
		return 0, err
	}
	return version, probe()
}

func (p Policy) rules() (rules []landlock.Rule) {
	add := func(files, folders landlock.AccessFSSet, paths []string) {
		for _, path := range paths {
			rights := files
			if isFolder(path) {
				rights = folders
			}
			rules = append(rules, landlock.PathAccess(rights, path).IgnoreIfMissing())
		}
	}
	add(readFiles, read, p.Read)
	add(readFiles, writing, p.Write)
	add(control, control, p.Devices)
	if p.ConnectAny {
		return rules
	}
	for _, port := range p.Connect {
		rules = append(rules, landlock.ConnectTCP(port))
	}
	return rules
}

var errUnrestricted = errors.New("the kernel took the rules and still opens what they do not name")

// probe opens a folder that no policy names.
func probe() error {
	root, err := os.Open("/")
	if err == nil {
		return errors.Join(errUnrestricted, root.Close())
	}
	return nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
