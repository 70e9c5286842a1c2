package benchmark

import (
	"fmt"
	"slices"
	"strings"
)

// ListFiles returns the dataset's list files for the plan by their path below
// the root, as the dataset writes them.
func (d *Dataset) ListFiles(plans []Plan) map[string]string {
	videos := make([]Video, len(plans))
	for i, p := range plans {
		videos[i] = p.Video
	}
	switch d.Name {
	case "oulu":
		return ouluListFiles(videos)
	case "msu":
		return map[string]string{msuTrainList: subjectList(videos, Train), msuTestList: subjectList(videos, Test)}
	}
	return nil
}

func ouluListFiles(videos []Video) map[string]string {
	files := map[string]string{}
	for _, p := range ouluProtocols() {
		for _, split := range []Split{Train, Dev, Test} {
			var text strings.Builder
			for _, v := range p.list(videos, split) {
				fmt.Fprintf(&text, "%+d,%s\n", listToken(v, split), stem(v))
			}
			files["Protocols/"+p.listFile(split)] = text.String()
		}
	}
	return files
}

// listToken: only test lists tell print from replay.
func listToken(v Video, split Split) int {
	if split == Test {
		return token(v)
	}
	return max(-1, token(v))
}

// subjectList has two digits a line, CRLF between lines and nothing after the last.
func subjectList(videos []Video, split Split) string {
	var subjects []string
	for _, v := range videos {
		if v.Split == split && !slices.Contains(subjects, v.Subject[1:]) {
			subjects = append(subjects, v.Subject[1:])
		}
	}
	return strings.Join(subjects, "\r\n")
}
