package benchmark

import "fmt"

// casia is CASIA-FASD (Zhang et al., ICB 2012). Folder numbers start at 1 in
// train and test alike and mean different people: test subjects count from 21.
// The cameras are A, B and HR, because the words low and normal quality mean one
// or the other to different authors. Idiap's package has the face boxes.
func casia() Dataset {
	d := Dataset{
		Name: "casia", Letter: "C", Title: "CASIA-FASD", FirstPerson: 60,
		Cameras: []Camera{
			{"A", ".avi", 640, 480, 25},
			{"B", ".avi", 480, 640, 25},
			{"HR", ".avi", 720, 1280, 25},
		},
		Instruments: []Instrument{
			{Name: "warped", PAI: Print},
			{Name: "cut", PAI: Cut},
			{Name: "tablet", PAI: Replay, Moving: true},
		},
		Folders: Folders{Anchors: []string{"train_release", "test_release"}},
		Sidecar: Sidecar{Folder: "face-locations", Suffix: ".face", Parse: ParseFaceBoxes},
	}
	d.Videos = casiaVideos(d.Instruments)
	return d
}

func casiaVideos(instruments []Instrument) (videos []Video) {
	for _, part := range []struct {
		folder          string
		split           Split
		people, subject int // subject of the folder before the first
	}{{"train_release", Train, 20, 0}, {"test_release", Test, 30, 20}} {
		for person := 1; person <= part.people; person++ {
			for _, v := range casiaFiles(instruments) {
				v.ID = fmt.Sprintf("%s/%d/%s", part.folder, person, v.ID)
				v.Split, v.Subject, v.Session = part.split, fmt.Sprint(person+part.subject), "1"
				videos = append(videos, v)
			}
		}
	}
	return videos
}

// casiaFiles lists the twelve files of a person.
func casiaFiles(instruments []Instrument) (files []Video) {
	for _, f := range []struct {
		camera, bonaFide string
		attacks          [3]string // by instrument
	}{
		{"A", "1", [3]string{"3", "5", "7"}},
		{"B", "2", [3]string{"4", "6", "8"}},
		{"HR", "HR_1", [3]string{"HR_2", "HR_3", "HR_4"}},
	} {
		files = append(files, Video{ID: f.bonaFide, Camera: f.camera, PAI: BonaFide})
		for i, name := range f.attacks {
			files = append(files, Video{ID: name, Camera: f.camera, PAI: instruments[i].PAI, Instrument: instruments[i].Name})
		}
	}
	return files
}
