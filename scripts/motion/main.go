package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	ctx := context.Background()
	c, err := openCollector(os.Args[1])
	if err == nil {
		switch os.Args[2] {
		case "people":
			err = c.people(ctx, os.Args[3:])
		case "files":
			err = c.files(ctx, os.Args[3:])
		case "stills":
			err = c.stills(ctx, os.Args[3:])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
