package benchmark

import (
	"bufio"
	"io"
	"strings"
)

// maxLine bounds a line of a text file from outside, in bytes.
const maxLine = 1 << 16

// eachLine gives the lines that are not blank, numbered from 1, without their
// ends: LF, CRLF and none at the end of the file.
func eachLine(r io.Reader, do func(n int, line string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if err := do(n, line); err != nil {
			return err
		}
	}
	return lines.Err()
}
