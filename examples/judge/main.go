// Command judge is a program that embeds package engine: it judges the video files that it is given.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	"github.com/liveproof/liveproof/engine"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: judge clip.mp4…")
	}
	if err := judge(os.Args[1:]); err != nil {
		log.Fatal(err)
	}
}

func judge(paths []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	e, err := engine.Open(ctx, engine.DefaultConfig(), engine.Deps{})
	if err != nil {
		return err
	}
	ran := make(chan error, 1)
	go func() { ran <- e.Run(ctx) }()
	for _, path := range paths {
		report, failure := e.JudgeFile(ctx, path)
		v := report.Verdict
		fmt.Printf("%s: %s, score %.2f, reasons %v\n", path, v.Outcome, v.Score, v.Reasons)
		err = errors.Join(err, failure)
	}
	stop() // ends Run; the models are freed after it
	return errors.Join(err, <-ran, e.Close())
}
