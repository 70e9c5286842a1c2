package benchmark

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/liveproof/liveproof"
)

// oulu is OULU-NPU (Boulkenafet et al., FG 2017). Its files are called
// P_S_UU_F.avi: the phone is the first number, the session the second.
func oulu() Dataset {
	d := Dataset{
		Name: "oulu", Letter: "O", Title: "OULU-NPU", FirstPerson: 0,
		Instruments: []Instrument{
			{Name: "print1", PAI: Print},
			{Name: "print2", PAI: Print},
			{Name: "display1", PAI: Replay, Moving: true},
			{Name: "display2", PAI: Replay, Moving: true},
		},
		Folders: Folders{Anchors: []string{"Train_files", "Dev_files", "Test_files"}},
		Sidecar: Sidecar{Suffix: ".txt", Parse: parseOULUEyes},
		Lists:   labelledLists("Protocols", ouluLists()),
	}
	for _, phone := range ouluPhones {
		d.Cameras = append(d.Cameras, Camera{fmt.Sprint(phone), ".avi", 1080, 1920, 30})
	}
	d.Videos = ouluVideos(d.Instruments)
	for _, r := range ouluRows() {
		d.Protocols = append(d.Protocols, r.protocol())
	}
	return d
}

var (
	ouluPhones   = []int{1, 2, 3, 4, 5, 6}
	ouluSessions = []int{1, 2, 3}
	ouluFiles    = []int{1, 2, 3, 4, 5} // bona fide, then the instruments
	ouluParts    = []struct {
		folder, list string
		split        Split
		first, last  int // users
	}{
		{"Train_files", "Train", Train, 1, 20},
		{"Dev_files", "Dev", Dev, 21, 35},
		{"Test_files", "Test", Test, 36, 55},
	}
)

func ouluVideos(instruments []Instrument) (videos []Video) {
	for _, part := range ouluParts {
		for user := part.first; user <= part.last; user++ {
			of := Video{ID: part.folder, Split: part.split, Subject: fmt.Sprintf("%02d", user)}
			videos = append(videos, ouluUser(of, instruments)...)
		}
	}
	return videos
}

// ouluUser returns a user's videos: each phone, session and file.
func ouluUser(of Video, instruments []Instrument) (videos []Video) {
	for _, phone := range ouluPhones {
		for _, session := range ouluSessions {
			for _, file := range ouluFiles {
				v := of
				v.ID = fmt.Sprintf("%s/%d_%d_%s_%d", of.ID, phone, session, of.Subject, file)
				v.Session, v.Camera, v.PAI = fmt.Sprint(session), fmt.Sprint(phone), BonaFide
				if file > 1 {
					v.PAI, v.Instrument = instruments[file-2].PAI, instruments[file-2].Name
				}
				videos = append(videos, v)
			}
		}
	}
	return videos
}

// ouluRow is a row of the table by which the authors' list files are made: of
// each split's users, the files below. Learning is training and development.
type ouluRow struct {
	name   string
	family string
	list   string // path of the list files, with %s for the split's name
	learn  ouluChoice
	test   ouluChoice
}

type ouluChoice struct {
	phones, sessions, files []int
}

// ouluRows returns the 14: unseen illumination, unseen instruments, an unseen
// phone (six folds), and all three (six folds).
func ouluRows() []ouluRow {
	phones, sessions, files := ouluPhones, ouluSessions, ouluFiles
	rows := []ouluRow{
		{"oulu-1", "", "Protocol_1/%s.txt", ouluChoice{phones, []int{1, 2}, files}, ouluChoice{phones, []int{3}, files}},
		{"oulu-2", "", "Protocol_2/%s.txt", ouluChoice{phones, sessions, []int{1, 2, 4}}, ouluChoice{phones, sessions, []int{1, 3, 5}}},
	}
	for _, k := range phones {
		rows = append(rows, ouluRow{fmt.Sprintf("oulu-3.%d", k), "oulu-3", fmt.Sprintf("Protocol_3/%%s_%d.txt", k),
			ouluChoice{without(phones, k), sessions, files}, ouluChoice{[]int{k}, sessions, files}})
	}
	for _, k := range phones {
		rows = append(rows, ouluRow{fmt.Sprintf("oulu-4.%d", k), "oulu-4", fmt.Sprintf("Protocol_4/%%s_%d.txt", k),
			ouluChoice{without(phones, k), []int{1, 2}, []int{1, 2, 4}}, ouluChoice{[]int{k}, []int{3}, []int{1, 3, 5}}})
	}
	return rows
}

func without(numbers []int, k int) []int {
	return slices.DeleteFunc(slices.Clone(numbers), func(n int) bool { return n == k })
}

// has reports whether the video is among the chosen.
func (c ouluChoice) has(v Video) bool {
	phone, session, file := ouluNumbers(v)
	return slices.Contains(c.phones, phone) && slices.Contains(c.sessions, session) && slices.Contains(c.files, file)
}

// ouluNumbers are phone, session and file; all are one digit.
func ouluNumbers(v Video) (phone, session, file int) {
	digit := func(text string) int {
		if text == "" {
			return 0
		}
		return int(text[len(text)-1]) - '0'
	}
	return digit(v.Camera), digit(v.Session), digit(v.ID)
}

func (r ouluRow) has(v Video) bool {
	if v.Split == Test {
		return r.test.has(v)
	}
	return r.learn.has(v)
}

// protocol: the domains that the adversary tells apart are the sessions: 2, 3, 3 and 2 of them.
func (r ouluRow) protocol() Protocol {
	return Protocol{Name: r.name, Family: r.family, Domains: len(r.learn.sessions),
		Assign: func(v Video) (Role, int) {
			_, session, _ := ouluNumbers(v)
			switch {
			case !r.has(v):
				return "", NoDomain
			case v.Split == Test:
				return RoleTest, NoDomain
			case v.Split == Dev:
				return RoleDev, session - 1
			}
			return RoleTrain, session - 1
		},
	}
}

func ouluLists() (lists []labelledList) {
	for _, row := range ouluRows() {
		for _, part := range ouluParts {
			has := func(v Video) bool { return v.Split == part.split && row.has(v) }
			lists = append(lists, labelledList{fmt.Sprintf(row.list, part.list), has})
		}
	}
	return lists
}

// parseOULUEyes reads the eye positions beside a video: "frame,x,y,x,y", the
// eye on the image's left first.
func parseOULUEyes(r io.Reader) (rows []Annotation, err error) {
	err = eachLine(r, func(n int, line string) error {
		v, err := integers(strings.Split(line, ","), 5)
		if err != nil {
			return fmt.Errorf("line %d: %w; want frame,x,y,x,y", n, err)
		}
		if v[0] < 0 || v[3] <= v[1] {
			return fmt.Errorf("line %d: %q: the first eye must be the one on the image's left", n, line)
		}
		rows = append(rows, Annotation{Frame: v[0],
			Eyes: &[2]liveproof.Point{point(float64(v[1]), float64(v[2])), point(float64(v[3]), float64(v[4]))}})
		return nil
	})
	return rows, err
}
