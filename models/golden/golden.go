// Package golden has the crops on which the trainer's scores are checked (golden.json). Two of them are part of the program: the scorer compares execution
// providers and inference servers by them. Faces show faults of arithmetic that generated pictures do not: 8-bit sums that saturate change ρ of these by 0.5
// and of discs and noise by 0.02.
package golden

import _ "embed"

// Crops are PNG files of 224×224 pixels, whose ρ is in the middle of the scale for the demo models: a rendered print, and a rendered screen.
func Crops() [][]byte { return [][]byte{print2, replay1} }

var (
	//go:embed print_2.png
	print2 []byte
	//go:embed replay_1.png
	replay1 []byte
)
