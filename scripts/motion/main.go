// Command motion measures package motion on people and on photographs of them that are moved, bent, lit or warped (package
// internal/variants), as recorded and after encoders.
//
//	go run ./scripts/motion people samples clips/*.mp4          # keeps the samples of clips of people, in five encodings
//	go run ./scripts/motion stills samples clips/*.mp4 *.jpg    # and of variants of stills of clips and portraits
//	go run ./scripts/motion files  samples hostile/*.mp4        # and of videos as they are
//	go run ./scripts/motion measure samples > motion.csv        # then judges sessions of 3.6 s
//	python scripts/plot_motion.py motion.csv docs/img/motion.png
//
// A video whose samples are already there is not read again.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
)

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		log.Fatal("motion: ", err)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: motion people|stills|files FOLDER FILE... or motion measure FOLDER")
	}
	if args[0] == "measure" {
		return measure(ctx, args[1], os.Stdout)
	}
	c, err := openCollector(args[1])
	if err != nil {
		return err
	}
	tasks := map[string]func(context.Context, []string) error{"people": c.people, "stills": c.stills, "files": c.files}
	task, ok := tasks[args[0]]
	if !ok {
		return fmt.Errorf("%q is none of people, stills, files, measure", args[0])
	}
	return errors.Join(task(ctx, args[2:]), c.faces.Close())
}
