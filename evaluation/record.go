package evaluation

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/liveproof/liveproof"
)

// maxRecord bounds a line of results.jsonl, in bytes: the samples of about fifty hours of video.
const maxRecord = 128 << 20

// record is a line of results.jsonl.
type record struct {
	Source source `json:"source"`
	Result Result `json:"result"`
}

// source identifies the very file that was judged.
type source struct {
	Bytes    int64  `json:"bytes"`
	Modified int64  `json:"modified"` // ns since 1970
	SHA256   string `json:"sha256"`
}

// readRecords reads whole lines, and returns how many bytes those are. A last line without its end is what a kill or a full disk left:
// it is no record. Of several records of one presentation the last counts.
func readRecords(from io.Reader) (records map[string]record, whole int64, err error) {
	records = map[string]record{}
	r := bufio.NewReaderSize(from, 1<<16)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if errors.Is(err, io.EOF) {
			return records, whole, nil
		}
		if err == nil {
			var rec record
			if rec, err = parseRecord(line); err == nil {
				records[rec.Result.Name] = rec
			}
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w; remove the line to have its file judged again", n, err)
		}
		whole += int64(len(line))
	}
}

// readLine reads to the end of a line; io.EOF where there is no whole one.
func readLine(r *bufio.Reader) (line []byte, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if line = append(line, part...); len(line) > maxRecord {
			return nil, fmt.Errorf("it is longer than %d MiB", maxRecord>>20)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

func parseRecord(line []byte) (rec record, err error) {
	if err := json.Unmarshal(bytes.TrimSpace(line), &rec); err != nil {
		return record{}, err
	}
	return rec, rec.Result.fault()
}

// fault reports a result that no judge makes.
func (r Result) fault() error {
	outcomes := []liveproof.Outcome{liveproof.OutcomeLive, liveproof.OutcomeSpoof, liveproof.OutcomeInconclusive}
	switch {
	case r.Name == "":
		return errors.New("it names no presentation")
	case !(r.Score >= 0 && r.Score <= 1 && r.Smoothed >= 0 && r.Smoothed <= 1):
		return errors.New("its score is out of range [0, 1]")
	case !r.Acquired && r.Score != 0:
		return errors.New("it has a score although nothing was scored")
	case r.Still && r.Verdict != "":
		return errors.New("a still picture has no verdict")
	case !r.Still && !slices.Contains(outcomes, r.Verdict):
		return fmt.Errorf("%q is no final verdict", r.Verdict)
	}
	return nil
}
