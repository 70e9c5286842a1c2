package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/liveproof/liveproof/benchmark"
	"github.com/liveproof/liveproof/evaluation"
)

// plan says what is judged.
func (o evaluateOptions) plan() (plan evaluation.Plan, err error) {
	if o.protocol != "" {
		plan, err = o.protocolPlan()
	} else {
		plan, err = o.ownPlan()
	}
	if err != nil {
		return plan, err
	}
	known := append([]string{"attack_type", "instrument", "subject"}, plan.MetaNames()...)
	for _, name := range o.by {
		if !slices.Contains(known, name) {
			return plan, fmt.Errorf("--by: there is no column %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	if o.meanBy != "" && !slices.Contains(known[2:], o.meanBy) {
		return plan, fmt.Errorf("--mean-by: there is no column %q; there are %s", o.meanBy, strings.Join(known[2:], ", "))
	}
	return plan, nil
}

func (o evaluateOptions) protocolPlan() (evaluation.Plan, error) {
	if len(o.columns)+len(o.only) > 0 {
		return evaluation.Plan{}, errors.New("--column, --only: only with --csv")
	}
	var files []benchmark.File
	for _, root := range o.roots {
		_, dir, _ := strings.Cut(root, "=")
		if sameFolder(dir, o.out) {
			return evaluation.Plan{}, errors.New("--out: give the results a folder of their own, not the dataset's")
		}
		list, err := benchmark.Known().RootFiles(root)
		if err != nil {
			return evaluation.Plan{}, fmt.Errorf("--root: %w", err)
		}
		files = append(files, list...)
	}
	plan, err := evaluation.Protocol(benchmark.Known(), o.protocol, benchmark.Population(o.population), files)
	if err != nil {
		return plan, fmt.Errorf("--protocol, --root: %w", err)
	}
	return plan, nil
}

func (o evaluateOptions) ownPlan() (plan evaluation.Plan, err error) {
	if len(o.roots) != 1 {
		return plan, errors.New("--root: one folder for the files of --csv")
	}
	if info, err := os.Stat(o.roots[0]); err != nil || !info.IsDir() {
		return plan, fmt.Errorf("--root: %s is no folder", o.roots[0])
	}
	if sameFolder(o.roots[0], o.out) {
		return plan, errors.New("--out: give the results a folder of their own, not that of the files")
	}
	own := evaluation.OwnFiles{Root: o.roots[0]}
	if own.Columns, err = pairs("--column", o.columns); err != nil {
		return plan, err
	}
	if own.Only, err = pairs("--only", o.only); err != nil {
		return plan, err
	}
	tables, closeAll, err := openTables(o.csv)
	defer closeAll()
	if err != nil {
		return plan, fmt.Errorf("--csv: %w", err)
	}
	if plan, err = evaluation.Own(filepath.Base(tables[0].Name), tables, own); err != nil {
		return plan, fmt.Errorf("--csv:\n%w", err)
	}
	return plan, nil
}

// pairs reads words such as NAME=VALUE.
func pairs(flag string, words []string) (map[string]string, error) {
	list := map[string]string{}
	for _, word := range words {
		name, value, ok := strings.Cut(word, "=")
		if _, twice := list[name]; !ok || name == "" || twice {
			return nil, fmt.Errorf("%s: %q is not NAME=VALUE with a name that comes once", flag, word)
		}
		list[name] = value
	}
	return list, nil
}

// openTables opens the files of --csv, whose words may begin with a set, as in dev=FILE.
func openTables(words []string) (tables []evaluation.Table, closeAll func(), err error) {
	var files []*os.File
	closeAll = func() {
		for _, f := range files {
			_ = f.Close() // only read
		}
	}
	for _, word := range words {
		table := evaluation.Table{Name: word}
		if before, path, ok := strings.Cut(word, "="); ok {
			if set, known := evaluation.ParseSet(before); known {
				table.Set, table.Name = set, path
			}
		}
		f, err := os.Open(table.Name)
		if err != nil {
			return nil, closeAll, err
		}
		files = append(files, f)
		table.Content = f
		tables = append(tables, table)
	}
	return tables, closeAll, nil
}
