package benchmark

import "fmt"

// casia is CASIA-FASD (Zhang et al., ICB 2012). Folder numbers start at 1 in
// train and test alike and mean different people.
func casia() *Dataset {
	return newDataset(Dataset{
		Name: "casia", Letter: "C", Title: "CASIA-FASD",
		anchors: []string{"train_release", "test_release"},
		skip:    []string{"face-locations"},
	}, casiaVideos())
}

func casiaVideos() (videos []Video) {
	for _, part := range []struct {
		folder          string
		split           Split
		people, subject int // subject of the folder before the first
	}{{"train_release", Train, 20, 0}, {"test_release", Test, 30, 20}} {
		for person := 1; person <= part.people; person++ {
			for _, v := range casiaFiles() {
				v.ID = fmt.Sprintf("%s/%d/%s", part.folder, person, v.ID)
				v.Split, v.Subject, v.Session = part.split, fmt.Sprint(person+part.subject), "1"
				v.suffix, v.rate = ".avi", 25
				videos = append(videos, v)
			}
		}
	}
	return videos
}

// casiaFiles lists the twelve files of a person by camera A, B and HR: the
// words low and normal quality mean one or the other to different authors.
func casiaFiles() (files []Video) {
	sizes := map[string][2]int{"A": {640, 480}, "B": {480, 640}, "HR": {720, 1280}}
	for _, f := range []struct{ camera, real, warped, cut, tablet string }{
		{"A", "1", "3", "5", "7"}, {"B", "2", "4", "6", "8"}, {"HR", "HR_1", "HR_2", "HR_3", "HR_4"},
	} {
		for _, v := range []Video{
			{ID: f.real, PAI: BonaFide},
			{ID: f.warped, PAI: Print, Instrument: "warped"},
			{ID: f.cut, PAI: Cut, Instrument: "cut"},
			{ID: f.tablet, PAI: Replay, Instrument: "tablet"},
		} {
			v.Camera, v.size = f.camera, sizes[f.camera]
			files = append(files, v)
		}
	}
	return files
}
