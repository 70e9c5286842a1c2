package benchmark

import "fmt"

// oulu is OULU-NPU (Boulkenafet et al., FG 2017): P_S_UU_F.avi, the phone first.
func oulu() *Dataset {
	return newDataset(Dataset{
		Name: "oulu", Letter: "O", Title: "OULU-NPU",
		anchors: []string{"Train_files", "Dev_files", "Test_files"},
		lists:   checkOULULists,
	}, ouluVideos())
}

const (
	ouluPhones, ouluSessions, ouluUsers, ouluFiles = 6, 3, 55, 5
)

func ouluVideos() (videos []Video) {
	for user := 1; user <= ouluUsers; user++ {
		folder, split := ouluSplit(user)
		for phone := 1; phone <= ouluPhones; phone++ {
			for session := 1; session <= ouluSessions; session++ {
				for file := 1; file <= ouluFiles; file++ {
					v := ouluClass(file)
					v.ID = fmt.Sprintf("%s/%d_%d_%02d_%d", folder, phone, session, user, file)
					v.Split, v.Subject = split, fmt.Sprintf("%02d", user)
					v.Session, v.Camera = fmt.Sprint(session), fmt.Sprint(phone)
					v.suffix, v.size, v.rate = ".avi", [2]int{1080, 1920}, 30
					videos = append(videos, v)
				}
			}
		}
	}
	return videos
}

func ouluSplit(user int) (folder string, split Split) {
	switch {
	case user <= 20:
		return "Train_files", Train
	case user <= 35:
		return "Dev_files", Dev
	}
	return "Test_files", Test
}

func ouluClass(file int) Video {
	return [...]Video{
		{PAI: BonaFide},
		{PAI: Print, Instrument: "print1"},
		{PAI: Print, Instrument: "print2"},
		{PAI: Replay, Instrument: "display1"},
		{PAI: Replay, Instrument: "display2"},
	}[file-1]
}
