package metrics

import "errors"

var (
	// ErrSingleClass says that bona fide or attacks are missing: an error rate is not defined.
	ErrSingleClass = errors.New("error rates need bona fide and attacks")
	// ErrNotFinite says that a score or value is NaN or infinite.
	ErrNotFinite = errors.New("NaN or infinity")
	// ErrEmpty says that a summary was asked of no values.
	ErrEmpty = errors.New("no values")
	// ErrOutOfRange says that a parameter, such as a confidence level, is outside its range.
	ErrOutOfRange = errors.New("out of range")
)
