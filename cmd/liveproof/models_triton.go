package main

import (
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/liveproof/liveproof/models"
)

const tritonHelp = `Writes a model repository for Triton Inference Server: DIR/liveproof/config.pbtxt and
DIR/liveproof/VERSION/model.onnx. OpenVINO Model Server serves the same folder; it ignores config.pbtxt.

Start the server on it, and let the service use it (section scorer of the configuration):
  tritonserver --model-repository=DIR
  ovms --model_name liveproof --model_path DIR/liveproof --port 8001
  scorer: { backend: kserve, kserve: { target: "dns:///triton:8001" } }`

// tritonConfig is config.pbtxt. The batcher of the service makes the batches; dynamic batching joins those of several services.
var tritonConfig = template.Must(template.New("config.pbtxt").Parse(`# Written by "liveproof models export-triton" from {{.Model}} (sha256 {{.SHA256}}).
name: "liveproof"
backend: "onnxruntime"
max_batch_size: {{.MaxBatch}}
input [
  { name: "faces" data_type: TYPE_UINT8 dims: [ 224, 224, 3 ] }
]
output [
  { name: "rho" data_type: TYPE_FP32 dims: [ 1 ] reshape: { shape: [ ] } }
]
dynamic_batching { max_queue_delay_microseconds: 0 }
`))

type tritonExport struct {
	out      string
	version  int
	maxBatch int
}

func newExportTritonCommand(open func() (*models.Catalog, error)) *cobra.Command {
	x := tritonExport{version: 1, maxBatch: 64}
	cmd := &cobra.Command{
		Use: "export-triton NAME", Short: "Write a model repository for Triton or OpenVINO Model Server", Long: tritonHelp,
		Args: wantArgs(cobra.ExactArgs(1)),
		RunE: withCatalog(open, func(cmd *cobra.Command, c *models.Catalog, args []string) error {
			file, err := c.Find(args[0])
			if err != nil {
				return err
			}
			dir, err := x.write(args[0], file)
			if err == nil {
				fmt.Fprintln(cmd.OutOrStdout(), dir)
			}
			return err
		}),
	}
	cmd.Flags().StringVar(&x.out, "out", x.out, "directory of the model repository")
	cmd.Flags().IntVar(&x.version, "version", x.version, "version of the model in the repository")
	cmd.Flags().IntVar(&x.maxBatch, "max-batch", x.maxBatch, "most crops of one run of the network")
	_ = cmd.MarkFlagRequired("out")
	return cmd
}

// write makes the folder. A version that is there already stays: a server may be serving it.
func (x tritonExport) write(name string, file models.File) (dir string, err error) {
	if x.version < 1 || x.maxBatch < 1 {
		return "", usage(fmt.Errorf("--version %d and --max-batch %d must be at least 1", x.version, x.maxBatch))
	}
	dir = filepath.Join(x.out, "liveproof")
	version := filepath.Join(dir, fmt.Sprint(x.version))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := os.Mkdir(version, 0o755); os.IsExist(err) {
		return "", usage(fmt.Errorf("%s is there already: give the next --version", version))
	} else if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(version, "model.onnx"), file.Data, 0o644); err != nil {
		return "", err
	}
	config, err := os.Create(filepath.Join(dir, "config.pbtxt"))
	if err != nil {
		return "", err
	}
	err = tritonConfig.Execute(config, struct {
		Model, SHA256 string
		MaxBatch      int
	}{name, file.SHA256, x.maxBatch})
	if closed := config.Close(); err == nil {
		err = closed
	}
	return dir, err
}
