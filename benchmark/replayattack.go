package benchmark

import "fmt"

// replayAttack is Idiap's Replay-Attack (Chingovska et al., BIOSIG 2012). The
// same file name occurs under fixed/ and hand/, so the folder is part of the
// identity. Some copies say attk for attack, and the archives unpack into
// folders of their own.
func replayAttack() Dataset {
	d := Dataset{
		Name: "replay", Letter: "I", Title: "Replay-Attack", FirstPerson: 111,
		Cameras: []Camera{{"webcam", ".mov", 320, 240, 25}},
		Folders: Folders{
			Anchors: []string{"train", "devel", "test"}, Inside: []string{"real", "attack", "attk"},
			Skip:    []string{"enroll", "protocols"},
			Aliases: map[string]string{"attk": "attack"},
		},
		Sidecar: Sidecar{Folder: "face-locations", Suffix: ".face", Parse: ParseFaceBoxes},
		Videos:  replayAttackVideos(),
	}
	for _, support := range replayAttackSupports {
		for _, kind := range replayAttackKinds {
			d.Instruments = append(d.Instruments, kind.instrument(support))
		}
	}
	return d
}

var replayAttackParts = []struct {
	folder  string
	split   Split
	clients []int
}{
	{"train", Train, []int{1, 2, 4, 6, 7, 8, 12, 16, 18, 25, 27, 103, 105, 108, 110}},
	{"devel", Dev, []int{3, 5, 10, 15, 17, 22, 29, 30, 101, 111, 113, 114, 116, 118, 119}},
	{"test", Test, []int{9, 11, 13, 14, 19, 20, 21, 23, 24, 26, 28, 31, 102, 104, 106, 107, 109, 112, 115, 117}},
}

var replayAttackSupports = []string{"fixed", "hand"}

// replayAttackKind is an attack as its file name has it.
type replayAttackKind struct {
	device, source, kind string
	pai                  PAI
}

var replayAttackKinds = []replayAttackKind{
	{"print", "highdef", "photo", Print},
	{"mobile", "mobile", "photo", Replay},
	{"mobile", "mobile", "video", Replay},
	{"highdef", "highdef", "photo", Replay},
	{"highdef", "highdef", "video", Replay},
}

func (k replayAttackKind) instrument(support string) Instrument {
	device := k.device + "_" + k.source + "_" + k.kind
	if k.device == k.source {
		device = k.device + "_" + k.kind
	}
	return Instrument{Name: device + "_" + support, PAI: k.pai, Device: device, Moving: k.kind == "video", Fixed: support == "fixed"}
}

func replayAttackVideos() (videos []Video) {
	for _, part := range replayAttackParts {
		for _, client := range part.clients {
			for _, light := range []string{"controlled", "adverse"} {
				for _, v := range replayAttackFiles(client, light) {
					v.ID = part.folder + "/" + v.ID
					v.Split, v.Subject, v.Session, v.Camera = part.split, fmt.Sprintf("%03d", client), light, "webcam"
					videos = append(videos, v)
				}
			}
		}
	}
	return videos
}

// replayAttackFiles lists a client's two bona fide and ten attack files in one light.
func replayAttackFiles(client int, light string) (files []Video) {
	for take := 1; take <= 2; take++ {
		files = append(files, Video{PAI: BonaFide,
			ID: fmt.Sprintf("real/client%03d_session01_webcam_authenticate_%s_%d", client, light, take)})
	}
	for _, support := range replayAttackSupports {
		for _, k := range replayAttackKinds {
			files = append(files, Video{PAI: k.pai, Instrument: k.instrument(support).Name,
				ID: fmt.Sprintf("attack/%s/attack_%s_client%03d_session01_%s_%s_%s", support, k.device, client, k.source, k.kind, light)})
		}
	}
	return files
}
