package evaluation

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a table from outside.
const (
	maxTable   = 64 << 20 // bytes
	maxRows    = 1_000_000
	maxColumns = 64
	maxField   = 4096 // bytes
	maxFaults  = 50   // shown
)

// faults collects what is wrong with tables, so that all of it is told at once.
type faults struct {
	list []error
	more int
}

func (f *faults) add(format string, args ...any) {
	if len(f.list) == maxFaults {
		f.more++
		return
	}
	f.list = append(f.list, fmt.Errorf(format, args...))
}

func (f *faults) err() error {
	if f.more > 0 {
		return errors.Join(append(slices.Clone(f.list), fmt.Errorf("and %d more faults", f.more))...)
	}
	return errors.Join(f.list...)
}

// row is a line of a table.
type row struct {
	at     string // file:line
	fields []string
}

// readTable reads UTF-8 comma-separated values (RFC 4180) with a header; a byte order mark and CRLF are allowed. Faults of
// rows are added to f, and such rows left out. The error is for a table that cannot be read at all.
func readTable(name string, from io.Reader, f *faults) (header []string, rows []row, err error) {
	limited := &io.LimitedReader{R: from, N: maxTable + 1}
	r, err := newReader(limited)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	if header, err = readHeader(r); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	for {
		fields, err := r.Read()
		switch {
		case errors.Is(err, io.EOF) && limited.N <= 0, len(rows) > maxRows:
			return nil, nil, fmt.Errorf("%s: more than %d MiB or %d rows: split it", name, maxTable>>20, maxRows)
		case errors.Is(err, io.EOF):
			return header, rows, nil
		}
		at, err := checkRow(name, r, fields, len(header), err)
		if err != nil {
			f.add("%s: %w", at, err)
			if at == name { // not of one row
				return header, rows, nil
			}
			continue
		}
		rows = append(rows, row{at, fields})
	}
}

// newReader skips a byte order mark and refuses what is no UTF-8 text.
func newReader(from io.Reader) (*csv.Reader, error) {
	buffered := bufio.NewReader(from)
	start, err := buffered.Peek(3)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(start, []byte("\xef\xbb\xbf")):
		_, _ = buffered.Discard(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return nil, errors.New("it is UTF-16: save it as UTF-8")
	}
	r := csv.NewReader(buffered)
	r.FieldsPerRecord = -1 // checkRow says it better
	return r, nil
}

func readHeader(r *csv.Reader) ([]string, error) {
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty: the first line names the columns, such as filename,subject,attack_type")
	}
	if err != nil {
		return nil, err
	}
	if len(header) > maxColumns {
		return nil, fmt.Errorf("%d columns are more than %d", len(header), maxColumns)
	}
	if len(header) == 1 && strings.ContainsAny(header[0], ";\t") {
		return nil, errors.New("its columns are separated by semicolons or tabs: save it with commas")
	}
	for i, name := range header {
		header[i] = strings.TrimSpace(name)
		switch {
		case header[i] == "" || len(name) > 100 || !utf8.ValidString(name):
			return nil, fmt.Errorf("column %d has no usable name", i+1)
		case slices.ContainsFunc(header[:i], func(other string) bool { return strings.EqualFold(other, header[i]) }):
			return nil, fmt.Errorf("two columns are named %q", header[i])
		}
	}
	return header, nil
}

// checkRow says where the row lies and what is wrong with it. A fault whose place is the table's name ends the table.
func checkRow(name string, r *csv.Reader, fields []string, columns int, err error) (at string, fault error) {
	if syntax, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Sprintf("%s:%d", name, syntax.StartLine), syntax.Err
	}
	if err != nil {
		return name, err
	}
	line, _ := r.FieldPos(0)
	at = fmt.Sprintf("%s:%d", name, line)
	if len(fields) != columns {
		return at, fmt.Errorf("%d fields; the header has %d", len(fields), columns)
	}
	for i, field := range fields {
		switch {
		case len(field) > maxField:
			return at, fmt.Errorf("field %d is longer than %d bytes", i+1, maxField)
		case !utf8.ValidString(field) || strings.ContainsRune(field, 0):
			return at, fmt.Errorf("field %d is no UTF-8 text", i+1)
		}
		fields[i] = strings.TrimSpace(field)
	}
	return at, nil
}
