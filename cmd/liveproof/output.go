package main

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// mendOutput says what to do when a folder cannot be written to, as a continuation of err's text; "" when err says it.
func mendOutput(err error, folder string) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return fmt.Sprintf("; free space for %s and run the same command again: it continues", folder)
	case errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("; make %s writable or choose another folder", folder)
	}
	return ""
}
