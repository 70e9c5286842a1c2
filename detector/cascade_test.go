package detector

import (
	"bytes"
	"strings"
	"testing"
)

func TestScanCascade(t *testing.T) {
	tests := []struct {
		text string
		ok   bool
	}{
		{"<opencv_storage><cascade><stages><_/></stages></cascade></opencv_storage>", true},
		{"<opencv_storage><cascade><stages></stages></cascade></opencv_storage>", false},
		{"<opencv_storage><other><stages><_/></stages></other></opencv_storage>", false},
		{"<html><cascade><stages><_/></stages></cascade></html>", false},
		{"<opencv_storage><cascade><stages><_/></stages></cascade>", false},
		{"<opencv_storage></cascade>", false},
		{"%YAML:1.0\ncascade:\n", false},
		{"", false},
	}
	for _, tt := range tests {
		if err := scanCascade(strings.NewReader(tt.text)); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.text, err)
		}
	}
}

func FuzzScanCascade(f *testing.F) {
	f.Add([]byte("<opencv_storage><cascade><stages><_/></stages></cascade></opencv_storage>"))
	f.Add([]byte("<a></b>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if scanCascade(bytes.NewReader(data)) == nil && !bytes.Contains(data, []byte("opencv_storage")) {
			t.Errorf("%q is taken for a cascade", data)
		}
	})
}
