// Package atomicfile writes files of which there is never a half: after a kill, a full disk or a power cut a name holds the old content or
// the new, whole.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Write makes the file, and its folder where that is missing. The content goes to a partial file beside it, then to the disk (fsync), and
// only then does the file get its name. After an error nothing is left, and the error of a full disk says what to do.
func Write(path string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return explain(path, err)
	}
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Discard()) }()
	buffered := bufio.NewWriterSize(f, 1<<16)
	if err := write(buffered); err != nil {
		return explain(path, err)
	}
	if err := buffered.Flush(); err != nil {
		return explain(path, err)
	}
	return f.Commit()
}

// Bytes is Write of content that is in memory.
func Bytes(path string, content []byte) error {
	return Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

// Append adds a line to the end of a file, which it makes where it is missing. Of a line that could be written only in part nothing stays.
func Append(path string, line []byte) (err error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return explain(path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if _, err = f.Write(line); err == nil {
		err = f.Sync()
	}
	if err != nil && info.Mode().IsRegular() {
		err = errors.Join(err, f.Truncate(info.Size()))
	}
	return explain(path, err)
}

// File is a file that has no name yet.
type File struct {
	*os.File
	path string
	done bool
}

// Create begins a file in a folder that is there. Commit gives it its name, and Discard, which must follow, removes it if that did not happen.
func Create(path string) (*File, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".partial-*")
	if err != nil {
		return nil, explain(path, err)
	}
	return &File{File: f, path: path}, nil
}

// Commit brings the content to the disk and gives the file its name.
func (f *File) Commit() error {
	err := f.Chmod(0o644)
	if err == nil {
		err = f.Sync()
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(f.Name(), f.path)
	}
	if err != nil {
		return explain(f.path, err)
	}
	f.done = true
	return syncFolder(filepath.Dir(f.path))
}

// Discard removes a file that has no name; after Commit it does nothing.
func (f *File) Discard() error {
	if f.done {
		return nil
	}
	f.done = true
	_ = f.Close() // Commit may have closed it
	if err := os.Remove(f.Name()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncFolder brings the name to the disk. Some file systems cannot do that for folders, and bring names to the disk in order.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return nil //nolint:nilerr // the file is there; its folder may be written to and not read
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// explain says what to do where a file could not be written.
func explain(path string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, io.ErrShortWrite) {
		return fmt.Errorf("%s was not written and nothing of it was kept, for want of space (free some there): %w", path, err)
	}
	return err
}
