package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/variants"
)

// presentation is a video that is judged.
type presentation struct {
	Path    string         `json:"path"`
	Subject string         `json:"subject"`
	Variant string         `json:"variant"`
	Kind    variants.Kind  `json:"kind"`
	Shows   variants.Shows `json:"shows"`
}

// judged is what `liveproof replay` told of a presentation.
type judged struct {
	presentation
	Route     string             `json:"route"`
	Challenge liveproof.Evidence `json:"challenge"`
	Told      told               `json:"told"`
}

// told is a line of `liveproof replay --json --samples`.
type told struct {
	File      string              `json:"file"`
	Verdict   liveproof.Outcome   `json:"verdict"`
	Threshold liveproof.Threshold `json:"threshold"`
	Reasons   []liveproof.Reason  `json:"reasons"`
	Samples   []liveproof.Sample  `json:"samples"`
	Error     string              `json:"error"`
}

// mostOverloaded is the share of samples that a machine without time may have dropped: above it, a session says nothing of the evidence.
const mostOverloaded = 0.15

func (t told) overloaded() bool {
	n := 0
	for _, s := range t.Samples {
		n += indicator(slices.Contains(s.Reasons, liveproof.ReasonOverload))
	}
	return float64(n) > mostOverloaded*float64(len(t.Samples))
}

// presentations are the files of variants.csv, or the recordings of people.
func presentations(s settings) (list []presentation, err error) {
	for _, path := range s.people {
		list = append(list, presentation{path, subject(path), "recorded", variants.KindPerson, variants.ShowsPerson})
	}
	if len(list) > 0 {
		return list, nil
	}
	file, err := os.Open(filepath.Join(s.folder, "variants.csv"))
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, err
	}
	for _, row := range rows[min(1, len(rows)):] {
		v, err := variants.Find(row[3])
		if err != nil {
			return nil, err
		}
		if among(s.subjects, row[1]) && among(s.names, v.Name) {
			list = append(list, presentation{filepath.Join(s.folder, row[0]), row[1], v.Name, v.Kind, v.Shows})
		}
	}
	return list, nil
}

// among reports whether a list with commas has the name; an empty list has all.
func among(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

func subject(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return strings.TrimSuffix(name, "_640x480")
}

// kept is where the results of a route are kept.
func kept(folder, route string, challenge liveproof.Evidence) string {
	return filepath.Join(folder, fmt.Sprintf("%s-%s.jsonl", route, challenge))
}

// routeArgs are the arguments of `liveproof replay` by route.
var routeArgs = map[string][]string{"files": {"--jobs", "1"}, "webrtc": {"--via", "webrtc", "--jobs", "1"}}

// judge judges what was not judged yet and keeps each result.
func (s settings) judge(ctx context.Context, route string, list []presentation) (err error) {
	args, known := routeArgs[route]
	if !known {
		return fmt.Errorf("--routes: %q is none of files, webrtc", route)
	}
	path := kept(s.folder, route, s.challenge)
	before, err := read(path)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(slices.Clone(list), func(p presentation) bool {
		return slices.ContainsFunc(before, func(j judged) bool { return j.Path == p.Path })
	})
	if len(list) == 0 {
		return nil
	}
	if route == "webrtc" {
		args = append(slices.Clone(args), "--sessions", fmt.Sprint(s.sessions))
	}
	out, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	n := 0
	return s.replay(ctx, args, list, func(t told) error {
		n++
		note := ""
		if t.overloaded() {
			note = ", left out: the machine had no time for too many samples"
		}
		fmt.Fprintf(os.Stderr, "%s: %d of %d, %s: %s %v%s\n", route, n, len(list), filepath.Base(t.File), t.Verdict, t.Reasons, note)
		if t.Error != "" || t.overloaded() {
			return nil // tried again at the next run
		}
		at := slices.IndexFunc(list, func(p presentation) bool { return p.Path == t.File })
		return json.NewEncoder(out).Encode(judged{list[at], route, s.challenge, t})
	})
}

// replay runs the program on the files and hands over each of its lines.
func (s settings) replay(ctx context.Context, args []string, list []presentation, take func(told) error) error {
	args = append([]string{"replay", "--json", "--samples", "--quiet"}, args...)
	for _, p := range list {
		args = append(args, p.Path)
	}
	cmd := exec.CommandContext(ctx, s.bin, args...)
	cmd.Env = append(os.Environ(), "LIVEPROOF_SESSION_MAX_SESSIONS=1000", "LIVEPROOF_SCORER_ADMIT_WAIT=60s", "LIVEPROOF_IDENTITY_TIMEOUT=10s",
		"LIVEPROOF_VERDICT_REQUIRE="+strings.Join([]string{"passive", "motion", string(s.challenge)}, ","))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var t told
		if err = json.Unmarshal(lines.Bytes(), &t); err == nil {
			err = take(t)
		}
		if err != nil {
			break
		}
	}
	err = errors.Join(err, lines.Err())
	if e := cmd.Wait(); err == nil && e != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "some could not be judged:", e)
	}
	return errors.Join(err, ctx.Err())
}

// readAll reads what was judged of all routes and challenges.
func readAll(folder string) (all []judged, err error) {
	paths, err := filepath.Glob(filepath.Join(folder, "*.jsonl"))
	for _, path := range paths {
		list, e := read(path)
		all, err = append(all, list...), errors.Join(err, e)
	}
	return all, err
}

func read(path string) (list []judged, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	for d := json.NewDecoder(bufio.NewReader(file)); d.More(); {
		var j judged
		if err := d.Decode(&j); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		list = append(list, j)
	}
	return list, nil
}
