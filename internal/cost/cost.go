// Package cost says what an answer costs that is made of many records, in tokens of a rate limit: most requests cost one.
package cost

// What one token pays for. docs/integration.md says so.
const (
	recordsPerToken = 20
	samplesPerToken = 500
)

// Records is what reading so many records of sessions costs, at least 1.
func Records(n int) int { return tokens(n, recordsPerToken) }

// Samples is what reading so many samples of a timeline costs, at least 1.
func Samples(n int) int { return tokens(n, samplesPerToken) }

func tokens(n, each int) int { return max(1, (n+each-1)/each) }
