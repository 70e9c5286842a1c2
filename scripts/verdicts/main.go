// Command verdicts judges the variants that scripts/variants has made, and recordings of people, and says which evidence withholds what.
// Each is judged by `liveproof replay` with all evidence required: as a file, and published over WebRTC to a real server. From its
// timeline the verdicts of the laxer policies follow, because a verdict is a function of the timeline.
//
//	go run ./scripts/verdicts --bin bin/liveproof --challenge flash FOLDER            # judges what FOLDER/variants.csv lists
//	go run ./scripts/verdicts --bin bin/liveproof --people FOLDER person.mp4 …        # and recordings of people before a camera
//	go run ./scripts/verdicts --report --page docs/variants.md FOLDER                 # makes the tables again
//
// What was judged is kept in FOLDER and not judged again. Sessions that lost samples because the machine had no time are left out, and
// published again by the next run.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/liveproof/liveproof"
)

type settings struct {
	bin, folder, page, routes, subjects string
	names, only                         string
	challenge                           liveproof.Evidence
	sessions                            int
	people                              []string
	report                              bool
}

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	s, err := flags()
	if err == nil {
		err = run(ctx, s)
	}
	stop()
	if err != nil {
		log.Fatal("verdicts: ", err)
	}
}

func flags() (s settings, err error) {
	challenge, people := "", false
	flag.StringVar(&s.bin, "bin", "bin/liveproof", "the program that judges")
	flag.StringVar(&s.page, "page", "", "page whose part between <!-- table --> and <!-- end of table --> the tables replace")
	flag.StringVar(&s.routes, "routes", "files,webrtc", "how videos reach the judge: files, webrtc, or both")
	flag.StringVar(&challenge, "challenge", string(liveproof.EvidenceFlash), "evidence that is required besides passive and motion; nobody answers it")
	flag.StringVar(&s.subjects, "subjects", "", "judge only the variants of these people, separated by commas")
	flag.StringVar(&s.names, "variants", "", "judge only these variants, separated by commas")
	flag.StringVar(&s.only, "only", "", "with --page: replace only the cells of this column, such as \"WebRTC: passive, motion, turn\", of variants that are in FOLDER")
	flag.IntVar(&s.sessions, "sessions", 2, "sessions published at once")
	flag.BoolVar(&people, "people", false, "judge the recordings of people that follow the folder, and not the variants")
	flag.BoolVar(&s.report, "report", false, "judge nothing, only make the tables")
	flag.Parse()
	s.challenge = liveproof.Evidence(challenge)
	if flag.NArg() < 1 || !people && flag.NArg() > 1 {
		return s, errors.New("usage: verdicts [flags] FOLDER, or verdicts --people [flags] FOLDER FILE and more files")
	}
	s.folder = flag.Arg(0)
	if people {
		s.people = flag.Args()[1:]
	}
	if !s.challenge.Challenge() {
		return s, fmt.Errorf("--challenge: %q is none", challenge)
	}
	return s, nil
}

func run(ctx context.Context, s settings) error {
	if !s.report {
		list, err := presentations(s)
		if err != nil {
			return err
		}
		for route := range strings.SplitSeq(s.routes, ",") {
			if err := s.judge(ctx, route, list); err != nil {
				return err
			}
		}
	}
	all, err := readAll(s.folder)
	if err != nil {
		return err
	}
	rows, err := verdicts(all)
	if err != nil {
		return err
	}
	if err := writeRows(filepath.Join(s.folder, "verdicts.csv"), rows); err != nil {
		return err
	}
	text := tables(rows)
	fmt.Print(text)
	switch {
	case s.page == "":
		return nil
	case s.only != "":
		return replaceColumn(s.page, s.only, rows)
	}
	return replaceTables(s.page, text)
}
