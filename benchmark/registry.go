package benchmark

import "sync"

// Known are the datasets and leave-one-out settings that this program has. A
// further dataset is one more line here and a file of its own.
var Known = sync.OnceValue(func() *Catalogue {
	c, err := NewCatalogue(
		[]string{"OCI-M", "OMI-C", "OCM-I", "ICM-O"},
		oulu(),
		casia(),
		replayAttack(),
		msu(),
	)
	if err != nil {
		panic(err) // a declaration contradicts itself: every test fails
	}
	return c
})
