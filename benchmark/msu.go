package benchmark

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// msu is the public part of MSU-MFSD (Wen et al., TIFS 2015), scene01 only.
func msu() *Dataset {
	return newDataset(Dataset{
		Name: "msu", Letter: "M", Title: "MSU-MFSD",
		anchors: []string{"scene01"}, inside: []string{"real", "attack"},
		splits: msuLists,
	}, msuVideos())
}

var (
	msuTrain = []int{2, 3, 5, 6, 7, 8, 9, 11, 12, 21, 22, 34, 53, 54, 55}
	msuTest  = []int{1, 13, 14, 23, 24, 26, 28, 29, 30, 32, 33, 35, 36, 37, 39, 42, 48, 49, 50, 51}
	// msuUpsideDown: of these clients the bona fide android clip is stored turned by 180°.
	msuUpsideDown = []int{3, 5, 6, 7, 8, 9}
)

func msuVideos() (videos []Video) {
	for _, part := range []struct {
		split   Split
		clients []int
	}{{Train, msuTrain}, {Test, msuTest}} {
		for _, client := range part.clients {
			for _, camera := range []string{"android", "laptop"} {
				for _, v := range msuFiles(client, camera) {
					v.Split, v.Subject, v.Session, v.Camera = part.split, fmt.Sprintf("%03d", client), "1", camera
					v.suffix, v.size, v.rate = ".mp4", [2]int{720, 480}, 30
					if camera == "laptop" {
						v.suffix, v.size = ".mov", [2]int{640, 480}
					}
					videos = append(videos, v)
				}
			}
		}
	}
	return videos
}

func msuFiles(client int, camera string) []Video {
	bonaFide := Video{PAI: BonaFide, ID: fmt.Sprintf("scene01/real/real_client%03d_%s_SD_scene01", client, camera)}
	if camera == "android" && slices.Contains(msuUpsideDown, client) {
		bonaFide.turned = 180
	}
	files := []Video{bonaFide}
	for _, instrument := range []string{"ipad_video", "iphone_video", "printed_photo"} {
		pai := Replay
		if instrument == "printed_photo" {
			pai = Print
		}
		files = append(files, Video{PAI: pai, Instrument: instrument,
			ID: fmt.Sprintf("scene01/attack/attack_client%03d_%s_SD_%s_scene01", client, camera, instrument)})
	}
	return files
}

// The lists beside scene01.
const (
	msuTrainList = "train_sub_list.txt"
	msuTestList  = "test_sub_list.txt"
)

// msuLists takes the split from the lists beside scene01, which count where they
// are there, and tells where they differ from the published ones.
func msuLists(base string, files []File) (warnings []string) {
	split := map[int]Split{}
	for _, list := range []struct {
		name  string
		split Split
	}{{msuTrainList, Train}, {msuTestList, Test}} {
		ids, err := readSubjects(filepath.Join(base, list.name))
		if err != nil {
			return []string{fmt.Sprintf("%v; the published split is used", err)}
		}
		for _, id := range ids {
			if split[id] != "" && split[id] != list.split {
				warnings = append(warnings, fmt.Sprintf("subject %02d is in both lists; %s counts", id, list.name))
			}
			split[id] = list.split
		}
	}
	return append(warnings, applySplit(files, split)...)
}

func applySplit(files []File, split map[int]Split) (warnings []string) {
	told := map[string]bool{}
	for i, f := range files {
		id, _ := strconv.Atoi(f.Subject)
		own := split[id]
		if own == f.Split || told[f.Subject] && own == "" {
			continue
		}
		if !told[f.Subject] {
			told[f.Subject] = true
			warnings = append(warnings, splitWarning(f, own))
		}
		if own != "" {
			files[i].Split = own
		}
	}
	return warnings
}

func splitWarning(f File, own Split) string {
	if own == "" {
		return fmt.Sprintf("subject %s is in neither list; it stays in %s", f.Subject, f.Split)
	}
	return fmt.Sprintf("subject %s is in %s by the list file, in %s as published; the file counts", f.Subject, own, f.Split)
}

func readSubjects(path string) ([]int, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // only read
	ids, err := ParseSubjects(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return ids, nil
}

// ParseSubjects reads a list of subjects, one whole number a line. They are
// compared as numbers: the lists have two digits, the names three. CRLF and a
// missing last newline are fine.
func ParseSubjects(r io.Reader) (ids []int, err error) {
	err = eachLine(r, func(n int, line string) error {
		id, err := strconv.Atoi(strings.TrimSpace(line))
		if err != nil || id < 0 {
			return fmt.Errorf("line %d: %q is not a subject number", n, line)
		}
		ids = append(ids, id)
		return nil
	})
	return ids, err
}
