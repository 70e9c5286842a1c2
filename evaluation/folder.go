package evaluation

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/liveproof/liveproof/internal/atomicfile"
	"github.com/liveproof/liveproof/internal/filelock"
)

// ErrOutput says that the folder for the results cannot be used, is in use, or holds results of other settings.
var ErrOutput = errors.New("output folder")

// Files in the folder.
const (
	settingsName = "settings.json"
	resultsName  = "results.jsonl"
)

// folder keeps the results of a run. It belongs to one run at a time.
type folder struct {
	lock    *os.File
	results *os.File
	done    map[string]record // by name

	mu   sync.Mutex
	size int64 // of results, in whole lines
}

// openFolder makes the folder or continues in it.
func openFolder(dir string, s Settings) (f *folder, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f = &folder{}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	f.lock, err = filelock.Take(filepath.Join(dir, ".lock"), filelock.Alone)
	if errors.Is(err, filelock.ErrHeld) {
		return f, fmt.Errorf("another evaluation is writing to %s: wait for it, or take another folder", dir)
	}
	if err != nil {
		return f, err
	}
	if err := claim(dir, s); err != nil {
		return f, err
	}
	return f, f.open(filepath.Join(dir, resultsName))
}

// claim writes the settings to a new folder, and refuses a folder with other settings.
func claim(dir string, s Settings) error {
	path := filepath.Join(dir, settingsName)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return atomicfile.Write(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
	}
	if err != nil {
		return err
	}
	var there Settings
	if err := json.Unmarshal(data, &there); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if d := there.difference(s); d != "" {
		return fmt.Errorf("%s holds results of other settings (%s): take another folder, or delete this one", dir, d)
	}
	return nil
}

// open reads the results of earlier runs and cuts off what a kill left of a line.
func (f *folder) open(path string) (err error) {
	if f.results, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return err
	}
	if f.done, f.size, err = readRecords(f.results); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.cut()
}

// cut ends the file after its last whole line, where the next one goes.
func (f *folder) cut() error {
	if err := f.results.Truncate(f.size); err != nil {
		return err
	}
	_, err := f.results.Seek(f.size, io.SeekStart)
	return err
}

// add writes a record to the disk. What could be written of it only in part is removed again.
func (f *folder) add(rec record) error {
	line, err := json.Marshal(rec)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err = f.results.Write(line); err == nil {
		err = f.results.Sync()
	}
	if err != nil {
		return errors.Join(err, f.cut())
	}
	f.size += int64(len(line))
	return nil
}

func (f *folder) close() (err error) {
	for _, file := range []*os.File{f.results, f.lock} {
		if file != nil {
			err = errors.Join(err, file.Close())
		}
	}
	return err
}
