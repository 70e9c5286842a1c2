package benchmark

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/liveproof/liveproof"
)

// msu is the public part of MSU-MFSD (Wen et al., TIFS 2015), scene01 only. Its
// lists have two digits and CRLF, its names three digits. Six clips are stored
// upside down: [Video.Turned].
func msu() Dataset {
	d := Dataset{
		Name: "msu", Letter: "M", Title: "MSU-MFSD", FirstPerson: 231,
		Cameras: []Camera{
			{"android", ".mp4", 720, 480, 30},
			{"laptop", ".mov", 640, 480, 30},
		},
		Instruments: []Instrument{
			{Name: "ipad_video", PAI: Replay, Moving: true},
			{Name: "iphone_video", PAI: Replay, Moving: true},
			{Name: "printed_photo", PAI: Print},
		},
		Folders: Folders{Anchors: []string{"scene01"}, Inside: []string{"real", "attack"}},
		Sidecar: Sidecar{Suffix: ".face", Parse: parseMSUFaces},
		Lists:   subjectLists([]subjectList{{"train_sub_list.txt", Train}, {"test_sub_list.txt", Test}}),
	}
	for _, part := range msuParts {
		for _, client := range part.clients {
			for _, camera := range d.Cameras {
				for _, v := range msuFiles(client, camera.Name, d.Instruments) {
					v.Split, v.Subject, v.Session, v.Camera = part.split, fmt.Sprintf("%03d", client), "1", camera.Name
					d.Videos = append(d.Videos, v)
				}
			}
		}
	}
	return d
}

var msuParts = []struct {
	split   Split
	clients []int
}{
	{Train, []int{2, 3, 5, 6, 7, 8, 9, 11, 12, 21, 22, 34, 53, 54, 55}},
	{Test, []int{1, 13, 14, 23, 24, 26, 28, 29, 30, 32, 33, 35, 36, 37, 39, 42, 48, 49, 50, 51}},
}

// msuUpsideDown: of these clients the bona fide android clip is stored turned by 180°.
var msuUpsideDown = []int{3, 5, 6, 7, 8, 9}

func msuFiles(client int, camera string, instruments []Instrument) []Video {
	bonaFide := Video{PAI: BonaFide, ID: fmt.Sprintf("scene01/real/real_client%03d_%s_SD_scene01", client, camera)}
	if camera == "android" && slices.Contains(msuUpsideDown, client) {
		bonaFide.turned = 180
	}
	files := []Video{bonaFide}
	for _, in := range instruments {
		files = append(files, Video{PAI: in.PAI, Instrument: in.Name,
			ID: fmt.Sprintf("scene01/attack/attack_client%03d_%s_SD_%s_scene01", client, camera, in.Name)})
	}
	return files
}

// parseMSUFaces reads a .face file: nine numbers, "frame, left, top, right,
// bottom, left eye x, y, right eye x, y". Fourth and fifth are the lower right
// corner, not a size.
func parseMSUFaces(r io.Reader) (rows []Annotation, err error) {
	err = eachLine(r, func(n int, line string) error {
		v, err := decimals(strings.Split(line, ","), 9)
		if err != nil {
			return fmt.Errorf("line %d: %w; want frame,left,top,right,bottom,left eye x,y,right eye x,y", n, err)
		}
		if v[0] < 0 || v[0] != math.Trunc(v[0]) || v[3] <= v[1] || v[4] <= v[2] {
			return fmt.Errorf("line %d: %q has no frame number and corners", n, line)
		}
		rows = append(rows, Annotation{
			Frame: int(v[0]), Box: box(v[1], v[2], v[3], v[4]),
			Eyes: &[2]liveproof.Point{point(v[5], v[6]), point(v[7], v[8])},
		})
		return nil
	})
	return rows, err
}
