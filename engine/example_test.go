package engine_test

import (
	"context"
	"fmt"
	"log"

	"github.com/liveproof/liveproof/engine"
)

// A program that judges one file.
func Example() {
	ctx := context.Background()
	judge, err := engine.Open(ctx, engine.DefaultConfig(), engine.Deps{})
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Println(judge.Run(ctx)) }()
	report, err := judge.JudgeFile(ctx, "clip.mp4")
	fmt.Println(report.Verdict.Outcome, report.Verdict.Score, report.Verdict.Reasons, err)
}
