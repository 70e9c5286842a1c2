package scorer

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/liveproof/liveproof/onnx"
)

// description is a network as it tells about itself.
type description struct {
	inputs, outputs []onnx.TensorInfo
	metadata        map[string]string
}

func (d description) Inputs() []onnx.TensorInfo   { return d.inputs }
func (d description) Outputs() []onnx.TensorInfo  { return d.outputs }
func (d description) Metadata() map[string]string { return d.metadata }

func goodDescription() description {
	return description{
		inputs: []onnx.TensorInfo{{Name: "faces", Type: "uint8", Shape: []int64{-1, 224, 224, 3}}},
		outputs: []onnx.TensorInfo{
			{Name: "rho", Type: "float32", Shape: []int64{-1}},
			{Name: "probabilities", Type: "float32", Shape: []int64{-1, 11}},
		},
		metadata: map[string]string{
			"liveproof.schema": "1", "liveproof.name": "net", "liveproof.k": "10", "liveproof.crop_margin": "1.3",
			"liveproof.crop_size": "256", "liveproof.input_size": "224", "liveproof.threshold": "0.437500",
			"liveproof.threshold_source": "dev", "liveproof.training_data": "faces",
			"liveproof.training_data_sha256": strings.Repeat("0f", 32), "liveproof.revision": "abc",
			"liveproof.encoder": "resnet18", "liveproof.precision": "int8", "liveproof.demo": "true",
		},
	}
}

func TestContractAccepts(t *testing.T) {
	d := goodDescription()
	d.outputs[0], d.outputs[1] = d.outputs[1], d.outputs[0] // the order is free
	d.metadata["liveproof.extra"] = "later versions may add keys"
	c, err := readContract("net.onnx", d)
	want := Contract{
		Name: "net", K: 10, Threshold: .4375, ThresholdSource: "dev", TrainingData: "faces",
		TrainingDataSHA256: strings.Repeat("0f", 32), Revision: "abc", Encoder: "resnet18", Precision: "int8", Demo: true,
	}
	if err != nil || c != want {
		t.Fatalf("readContract = %+v, %v; want %+v", c, err, want)
	}
}

func TestContractNamesTheDifference(t *testing.T) {
	set := func(key, value string) func(*description) {
		return func(d *description) { d.metadata["liveproof."+key] = value }
	}
	unset := func(key string) func(*description) {
		return func(d *description) { delete(d.metadata, "liveproof."+key) }
	}
	cases := []struct {
		name   string
		change func(*description)
		want   string
	}{
		{"input name", func(d *description) { d.inputs[0].Name = "input" }, "input faces: expected faces uint8[-1 224 224 3], found none of that name (it has input)"},
		{"input type", func(d *description) { d.inputs[0].Type = "float32" }, "input faces: expected faces uint8[-1 224 224 3], found faces float32[-1 224 224 3]"},
		{"input layout", func(d *description) { d.inputs[0].Shape = []int64{-1, 3, 224, 224} }, "found faces uint8[-1 3 224 224]"},
		{"fixed batch", func(d *description) { d.inputs[0].Shape[0] = 1 }, "found faces uint8[1 224 224 3]"},
		{"second input", func(d *description) { d.inputs = append(d.inputs, onnx.TensorInfo{Name: "mask", Type: "float32"}) }, "input mask: expected no such input"},
		{"no rho", func(d *description) { d.outputs = d.outputs[1:] }, "output rho: expected rho float32[-1], found none of that name (it has probabilities)"},
		{"rho type", func(d *description) { d.outputs[0].Type = "float16" }, "found rho float16[-1]"},
		{"rho shape", func(d *description) { d.outputs[0].Shape = []int64{-1, 1} }, "found rho float32[-1 1]"},
		{"atoms against k", set("k", "20"), "output probabilities: expected probabilities float32[-1 21], found probabilities float32[-1 11]"},
		{"third output", func(d *description) { d.outputs = append(d.outputs, onnx.TensorInfo{Name: "depth"}) }, "output depth: expected no such output"},
		{"other schema", set("schema", "2"), `metadata liveproof.schema: expected "1", found "2"`},
		{"no schema", unset("schema"), `metadata liveproof.schema: expected "1", found none`},
		{"k not whole", set("k", "2.5"), `metadata liveproof.k: expected an integer in [1, 1000], found "2.5"`},
		{"no k", unset("k"), "metadata liveproof.k: expected an integer"},
		{"margin", set("crop_margin", "1.5"), `metadata liveproof.crop_margin: expected 1.3, found "1.5"`},
		{"crop size", set("crop_size", "224"), `metadata liveproof.crop_size: expected 256, found "224"`},
		{"input size", set("input_size", "112"), `metadata liveproof.input_size: expected 224, found "112"`},
		{"threshold 0 would pass everything", set("threshold", "0"), `metadata liveproof.threshold: expected a number in (0, 1), found "0"`},
		{"threshold 1", set("threshold", "1.0"), "metadata liveproof.threshold"},
		{"threshold NaN", set("threshold", "NaN"), "metadata liveproof.threshold"},
		{"threshold text", set("threshold", "high"), "metadata liveproof.threshold"},
		{"no threshold source", set("threshold_source", " "), "metadata liveproof.threshold_source"},
		{"no training data", unset("training_data"), "metadata liveproof.training_data"},
		{"manifest hash", set("training_data_sha256", "abc"), "metadata liveproof.training_data_sha256: expected 64 hex digits"},
		{"no revision", unset("revision"), "metadata liveproof.revision"},
		{"no encoder", unset("encoder"), "metadata liveproof.encoder"},
		{"no name", unset("name"), "metadata liveproof.name"},
		{"precision", set("precision", "int4"), `metadata liveproof.precision: expected one of fp32, fp16, int8, found "int4"`},
		{"demo", set("demo", "yes"), `metadata liveproof.demo: expected one of true, false, found "yes"`},
	}
	for _, c := range cases {
		d := goodDescription()
		d.metadata = maps.Clone(d.metadata)
		c.change(&d)
		_, err := readContract("net.onnx", d)
		var refused *ContractError
		if !errors.As(err, &refused) || !errors.Is(err, ErrContract) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
			continue
		}
		renamed := c.name == "input name" // the old name is missing and the new one too much
		if n := len(refused.Differences); n != 1 && !renamed {
			t.Errorf("%s: %d differences: %v", c.name, len(refused.Differences), err)
		}
	}
}

func TestContractNamesAllDifferences(t *testing.T) {
	d := goodDescription()
	d.metadata = nil
	_, err := readContract("net.onnx", d)
	var refused *ContractError
	if !errors.As(err, &refused) || len(refused.Differences) != 14 {
		t.Fatalf("without metadata: %v", err)
	}
}

// The metadata comes from a file, which anybody may have written.
func FuzzReadContract(f *testing.F) {
	good := goodDescription().metadata
	f.Add(good["liveproof.k"], good["liveproof.threshold"], good["liveproof.crop_margin"], good["liveproof.demo"])
	f.Add("1e3", "0x1p-1", "1.30", "TRUE")
	f.Fuzz(func(t *testing.T, k, threshold, margin, demo string) {
		d := goodDescription()
		d.metadata["liveproof.k"], d.metadata["liveproof.threshold"] = k, threshold
		d.metadata["liveproof.crop_margin"], d.metadata["liveproof.demo"] = margin, demo
		c, err := readContract("net.onnx", d)
		if err == nil && (c.K != 10 || !(c.Threshold > 0 && c.Threshold < 1) || demo != "true" && demo != "false") {
			t.Fatalf("accepted k %q, threshold %q, demo %q as %+v", k, threshold, demo, c)
		}
	})
}
