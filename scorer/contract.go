package scorer

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/liveproof/liveproof/onnx"
)

// The model contract, schema 1 (docs/model-contract.md).
const (
	schema    = "1"
	inputName = "faces"
	rhoName   = "rho"
	atomsName = "probabilities"
	// InputSize is the width and height of a crop, pixels.
	InputSize = 224
	// cropSize and cropMargin are what the host's cropper does before its centre cut.
	cropSize   = 256
	cropMargin = 1.3

	cropBytes = InputSize * InputSize * 3
	maxK      = 1000
)

// Contract is what a model's metadata says about it.
type Contract struct {
	Name               string
	K                  int     // K+1 atoms c_i = i/K
	Threshold          float64 // bona fide at ρ ≥ Threshold, in (0,1)
	ThresholdSource    string
	TrainingData       string
	TrainingDataSHA256 string
	Revision           string
	Encoder            string
	Precision          string // fp32, fp16, int8
	Demo               bool
}

// network is what a loaded model tells about itself; *onnx.Session in production.
type network interface {
	Inputs() []onnx.TensorInfo
	Outputs() []onnx.TensorInfo
	Metadata() map[string]string
}

// readContract checks a network against the contract and returns its metadata.
// A *ContractError names every difference.
func readContract(model string, n network) (Contract, error) {
	r := metadataReader{values: n.Metadata()}
	c := r.read()
	differences := append(tensorDifferences(n, c.K), r.differences...)
	if len(differences) > 0 {
		return Contract{}, &ContractError{Model: model, Differences: differences}
	}
	return c, nil
}

func tensorDifferences(n network, k int) []Difference {
	inputs := []onnx.TensorInfo{{Name: inputName, Type: "uint8", Shape: []int64{-1, InputSize, InputSize, 3}}}
	outputs := []onnx.TensorInfo{
		{Name: rhoName, Type: "float32", Shape: []int64{-1}},
		{Name: atomsName, Type: "float32", Shape: []int64{-1, int64(k) + 1}},
	}
	if k == 0 { // unknown: its own difference says so already
		outputs = outputs[:1]
	}
	ignore := ""
	if k == 0 {
		ignore = atomsName
	}
	return append(compare("input", inputs, n.Inputs(), ""), compare("output", outputs, n.Outputs(), ignore)...)
}

// compare names what is missing, different or too much.
func compare(kind string, expected, found []onnx.TensorInfo, ignore string) []Difference {
	var out []Difference
	for _, want := range expected {
		at := slices.IndexFunc(found, func(i onnx.TensorInfo) bool { return i.Name == want.Name })
		if at < 0 {
			out = append(out, Difference{kind + " " + want.Name, want.String(), "none of that name (" + names(found) + ")"})
		} else if got := found[at]; got.Type != want.Type || !slices.Equal(got.Shape, want.Shape) {
			out = append(out, Difference{kind + " " + want.Name, want.String(), got.String()})
		}
	}
	for _, got := range found {
		known := slices.ContainsFunc(expected, func(i onnx.TensorInfo) bool { return i.Name == got.Name })
		if !known && got.Name != ignore {
			out = append(out, Difference{kind + " " + got.Name, "no such " + kind, got.String()})
		}
	}
	return out
}

func names(infos []onnx.TensorInfo) string {
	list := make([]string, len(infos))
	for i, info := range infos {
		list[i] = info.Name
	}
	return "it has " + strings.Join(list, ", ")
}

// metadataReader reads metadata_props and collects what is wrong with them.
type metadataReader struct {
	values      map[string]string
	differences []Difference
}

func (r *metadataReader) read() Contract {
	r.equal("schema", schema)
	r.number("crop_margin", strconv.FormatFloat(cropMargin, 'f', -1, 64), func(v float64) bool { return v == cropMargin })
	r.number("crop_size", strconv.Itoa(cropSize), func(v float64) bool { return v == cropSize })
	r.number("input_size", strconv.Itoa(InputSize), func(v float64) bool { return v == InputSize })
	k := r.number("k", "an integer in [1, 1000]", func(v float64) bool { return v >= 1 && v <= maxK && v == math.Trunc(v) })
	return Contract{
		Name: r.text("name"),
		K:    int(k),
		// 0 and 1 are refused: one calls everything bona fide, the other nothing.
		Threshold:          r.number("threshold", "a number in (0, 1)", func(v float64) bool { return v > 0 && v < 1 }),
		ThresholdSource:    r.text("threshold_source"),
		TrainingData:       r.text("training_data"),
		TrainingDataSHA256: r.match("training_data_sha256", "64 hex digits", isSHA256),
		Revision:           r.text("revision"),
		Encoder:            r.text("encoder"),
		Precision:          r.oneOf("precision", "fp32", "fp16", "int8"),
		Demo:               r.oneOf("demo", "true", "false") == "true",
	}
}

// match returns the value of liveproof.key if it is there and ok accepts it, else "".
func (r *metadataReader) match(key, expected string, ok func(string) bool) string {
	key = "liveproof." + key
	value, present := r.values[key]
	if present && ok(value) {
		return value
	}
	found := "none"
	if present {
		found = strconv.Quote(value)
	}
	r.differences = append(r.differences, Difference{"metadata " + key, expected, found})
	return ""
}

func (r *metadataReader) equal(key, want string) {
	r.match(key, strconv.Quote(want), func(v string) bool { return v == want })
}

func (r *metadataReader) text(key string) string {
	return r.match(key, "a text", func(v string) bool { return strings.TrimSpace(v) != "" })
}

func (r *metadataReader) oneOf(key string, values ...string) string {
	return r.match(key, "one of "+strings.Join(values, ", "), func(v string) bool { return slices.Contains(values, v) })
}

// number returns 0 when the value is missing or refused. NaN satisfies no range.
func (r *metadataReader) number(key, expected string, ok func(float64) bool) float64 {
	text := r.match(key, expected, func(v string) bool {
		n, err := strconv.ParseFloat(v, 64)
		return err == nil && ok(n)
	})
	n, _ := strconv.ParseFloat(text, 64)
	return n
}

var sha256Pattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func isSHA256(s string) bool { return sha256Pattern.MatchString(s) }
