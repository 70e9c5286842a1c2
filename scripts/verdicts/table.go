package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/liveproof/liveproof"
	"github.com/liveproof/liveproof/internal/variants"
)

const begin, end = "<!-- table -->\n", "<!-- end of table -->"

// replaceTables writes the text between the marks of a page.
func replaceTables(path, text string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(page), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		return errors.New(path + ": the marks of the table are missing")
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644)
}

// replaceColumn writes the cells of one column into the page's table of variants, for the variants that were judged so. The others stay.
func replaceColumn(path, title string, rows []row) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	at := slices.IndexFunc(columnsOf(rows), func(c column) bool { return c.title() == title })
	if at < 0 {
		return fmt.Errorf("--only: nothing was judged for a column %q", title)
	}
	text, err := withColumn(string(page), title, func(variant string) string {
		these := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Variant != variant })
		return live(these, columnsOf(rows)[at])
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

// withColumn is the page with other cells in a column. What stands there stays where the new cell is "–", or has fewer presentations and none
// that is live.
func withColumn(page, title string, cell func(variant string) string) (string, error) {
	lines := strings.Split(page, "\n")
	head := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "| variant |") })
	if head < 0 {
		return "", errors.New("no table of variants")
	}
	at := slices.Index(strings.Split(strings.TrimSuffix(lines[head], " |"), " | "), title)
	if at < 0 {
		return "", fmt.Errorf("its table has no column %q", title)
	}
	for i := head + 2; i < len(lines) && strings.HasPrefix(lines[i], "| "); i++ {
		cells := strings.Split(strings.TrimSuffix(lines[i], " |"), " | ")
		if at >= len(cells) {
			continue
		}
		c := cell(strings.TrimPrefix(cells[0], "| "))
		if live, n := counts(c); live > 0 || n > 0 && n >= second(counts(cells[at])) {
			cells[at] = c
			lines[i] = strings.Join(cells, " | ") + " |"
		}
	}
	return strings.Join(lines, "\n"), nil
}

// counts are the two numbers of a cell such as "**3 of 4**" or "0 of 4, 2 anew"; 0 of another one.
func counts(cell string) (live, of int) {
	if _, err := fmt.Sscanf(strings.TrimLeft(cell, "*"), "%d of %d", &live, &of); err != nil {
		return 0, 0
	}
	return live, of
}

func second(_, n int) int { return n }

// tables are that of the variants and that of the people.
func tables(rows []row) string {
	people := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Variant != "recorded" })
	others := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Variant == "recorded" || r.Shows == variants.ShowsPerson })
	return variantTable(others) + "\n" + peopleTable(people)
}

// routes in the order of the tables.
var routes = []string{"files", "webrtc"}

var challenges = []liveproof.Evidence{liveproof.EvidenceFlash, liveproof.EvidenceTurn}

// columns are those pairs of route and policy that were judged.
type column struct {
	route    string
	required []liveproof.Evidence
}

func columnsOf(rows []row) (list []column) {
	seen := map[string]bool{}
	for _, route := range routes {
		for _, challenge := range challenges {
			for _, required := range policies(challenge) {
				key := route + joined(required)
				judged := slices.ContainsFunc(rows, func(r row) bool { return r.Route == route && joined(r.required) == joined(required) })
				if judged && !seen[key] {
					seen[key] = true
					list = append(list, column{route, required})
				}
			}
		}
	}
	return list
}

func (c column) title() string {
	return map[string]string{"files": "file", "webrtc": "WebRTC"}[c.route] + ": " + strings.ReplaceAll(joined(c.required), " ", ", ")
}

func (c column) has(r row) bool {
	return r.Route == c.route && joined(r.required) == joined(c.required)
}

func variantTable(rows []row) string {
	var b strings.Builder
	columns := columnsOf(rows)
	fmt.Fprint(&b, "| variant | shows |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.title())
	}
	fmt.Fprint(&b, " what withholds it by default | risk of injection, median; withheld |\n|---|---|", strings.Repeat("---|", len(columns)+2), "\n")
	for _, v := range variants.All() {
		these := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Variant != v.Name })
		if len(these) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s |", v.Name, v.Shows)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", live(these, c))
		}
		fmt.Fprintf(&b, " %s | %s |\n", withheld(these), injected(these))
	}
	return b.String()
}

// live is how many of a column's presentations are live.
func live(rows []row, c column) string {
	n, accepted, anew := 0, 0, 0
	for _, r := range rows {
		if c.has(r) {
			n++
			accepted += indicator(r.accepted())
			anew += indicator(r.afterSwap())
		}
	}
	switch {
	case n == 0:
		return "–"
	case anew > 0:
		return fmt.Sprintf("%d of %d, %d anew", accepted, n, anew)
	case accepted > 0:
		return fmt.Sprintf("**%d of %d**", accepted, n)
	}
	return fmt.Sprintf("0 of %d", n)
}

// withheld counts the reasons of those that are not live by default. A score below the threshold is the model's.
func withheld(rows []row) string {
	counts := map[liveproof.Reason]int{}
	for _, r := range rows {
		if len(r.required) != 2 || r.verdict.Outcome == liveproof.OutcomeLive {
			continue
		}
		if len(r.verdict.Reasons) > 0 {
			counts[r.verdict.Reasons[0]]++
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b liveproof.Reason) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var list []string
	for _, name := range names {
		list = append(list, fmt.Sprintf("`%s` %d", name, counts[name]))
	}
	return strings.Join(list, ", ")
}

// injected is the median of the sessions' largest risk, and how many are withheld for it.
func injected(rows []row) string {
	var risks []float64
	caught := 0
	for _, r := range rows {
		if r.Route == "webrtc" && len(r.required) == 1 {
			risks = append(risks, r.risk().Risk)
			caught += indicator(slices.Contains(r.verdict.Reasons, liveproof.ReasonInjectionSuspected))
		}
	}
	if len(risks) == 0 {
		return "–"
	}
	slices.Sort(risks)
	return fmt.Sprintf("%.2f; %d of %d", risks[len(risks)/2], caught, len(risks))
}

// peopleTable has a row for each recording: the verdict and its time in each column.
func peopleTable(rows []row) string {
	if len(rows) == 0 {
		return ""
	}
	var b strings.Builder
	columns := slices.DeleteFunc(columnsOf(rows), func(c column) bool { return len(c.required) > 2 }) // nobody answers a challenge
	fmt.Fprint(&b, "| recording of a person |")
	for _, c := range columns {
		fmt.Fprintf(&b, " %s |", c.title())
	}
	fmt.Fprint(&b, " later: file, WebRTC |\n|---|", strings.Repeat("---|", len(columns)+1), "\n")
	var subjects []string
	for _, r := range rows {
		if !slices.Contains(subjects, r.Subject) {
			subjects = append(subjects, r.Subject)
		}
	}
	for _, who := range subjects {
		these := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r.Subject != who })
		fmt.Fprintf(&b, "| %s |", who)
		for _, c := range columns {
			fmt.Fprintf(&b, " %s |", outcome(these, c))
		}
		fmt.Fprintf(&b, " %s |\n", later(these))
	}
	return b.String()
}

func outcome(rows []row, c column) string {
	at := slices.IndexFunc(rows, c.has)
	if at < 0 {
		return "–"
	}
	v := rows[at].verdict
	if v.Outcome == liveproof.OutcomeLive {
		return fmt.Sprintf("live, %.1f s", v.At.Seconds())
	}
	return fmt.Sprintf("%s (`%s`)", v.Outcome, joined(v.Reasons[:min(1, len(v.Reasons))]))
}

// later is by how much the default's live comes after that of passive alone, by route.
func later(rows []row) string {
	var list []string
	for _, route := range routes {
		var at [3]float64
		for _, r := range rows {
			if r.Route == route && r.verdict.Outcome == liveproof.OutcomeLive {
				at[len(r.required)-1] = r.verdict.At.Seconds()
			}
		}
		if at[0] == 0 || at[1] == 0 {
			list = append(list, "–")
		} else {
			list = append(list, fmt.Sprintf("%.1f s", at[1]-at[0]))
		}
	}
	return strings.Join(list, ", ")
}

func indicator(b bool) int {
	if b {
		return 1
	}
	return 0
}
