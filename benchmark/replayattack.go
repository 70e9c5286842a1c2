package benchmark

import "fmt"

// replayAttack is Idiap's Replay-Attack (Chingovska et al., BIOSIG 2012). The
// same file name occurs under fixed/ and hand/, so the folder is part of the identity.
func replayAttack() *Dataset {
	return newDataset(Dataset{
		Name: "replay", Letter: "I", Title: "Replay-Attack",
		anchors: []string{"train", "devel", "test"}, inside: []string{"real", "attack", "attk"},
		skip:    []string{"face-locations", "enroll", "protocols"},
		aliases: map[string]string{"attk": "attack"},
	}, replayVideos())
}

var replayClients = []struct {
	folder  string
	split   Split
	clients []int
}{
	{"train", Train, []int{1, 2, 4, 6, 7, 8, 12, 16, 18, 25, 27, 103, 105, 108, 110}},
	{"devel", Dev, []int{3, 5, 10, 15, 17, 22, 29, 30, 101, 111, 113, 114, 116, 118, 119}},
	{"test", Test, []int{9, 11, 13, 14, 19, 20, 21, 23, 24, 26, 28, 31, 102, 104, 106, 107, 109, 112, 115, 117}},
}

func replayVideos() (videos []Video) {
	for _, part := range replayClients {
		for _, client := range part.clients {
			for _, light := range []string{"controlled", "adverse"} {
				for _, v := range replayFiles(client, light) {
					v.ID = part.folder + "/" + v.ID
					v.Split, v.Subject, v.Session, v.Camera = part.split, fmt.Sprintf("%03d", client), light, "webcam"
					v.suffix, v.size, v.rate = ".mov", [2]int{320, 240}, 25
					videos = append(videos, v)
				}
			}
		}
	}
	return videos
}

// replayFiles lists a client's two bona fide and ten attack files in one light.
func replayFiles(client int, light string) (files []Video) {
	for take := 1; take <= 2; take++ {
		files = append(files, Video{PAI: BonaFide,
			ID: fmt.Sprintf("real/client%03d_session01_webcam_authenticate_%s_%d", client, light, take)})
	}
	for _, support := range []string{"fixed", "hand"} {
		for _, a := range []struct {
			device, source, kind string
			pai                  PAI
		}{
			{"print", "highdef", "photo", Print},
			{"mobile", "mobile", "photo", Replay}, {"mobile", "mobile", "video", Replay},
			{"highdef", "highdef", "photo", Replay}, {"highdef", "highdef", "video", Replay},
		} {
			files = append(files, Video{PAI: a.pai, Instrument: replayInstrument(a.device, a.source, a.kind) + "_" + support,
				ID: fmt.Sprintf("attack/%s/attack_%s_client%03d_session01_%s_%s_%s", support, a.device, client, a.source, a.kind, light)})
		}
	}
	return files
}

func replayInstrument(device, source, kind string) string {
	if device == source {
		return device + "_" + kind
	}
	return device + "_" + source + "_" + kind
}
