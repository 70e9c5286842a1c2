package scorer

// health follows the success of one model's batches. Its zero value is healthy.
type health struct {
	failures int   // batches failed in a row
	cause    error // why the model is not ready; nil when it is
}

// failed counts a batch of which no sample could be scored. A stuck one, or as many in
// a row as threshold, make the model not ready; turned says that this one did.
func (h *health) failed(cause error, stuck bool, threshold int) (turned bool) {
	h.failures++
	if !stuck && h.failures < threshold {
		return false
	}
	turned = h.cause == nil
	h.cause = cause
	return turned
}

// succeeded reports whether the model was not ready before, after how many failures.
func (h *health) succeeded() (turned bool, failures int) {
	turned, failures = h.cause != nil, h.failures
	*h = health{}
	return turned, failures
}
