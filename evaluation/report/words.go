package report

import "github.com/liveproof/liveproof/evaluation"

// viaWords say how presentations reached the judge.
var viaWords = map[evaluation.Via]string{
	evaluation.ViaDirect: "as files, decoded by the pipeline itself",
	evaluation.ViaWebRTC: "over WebRTC, encoded and published to a server in real time",
}

// countingRule is how presentations without a scored frame count.
const countingRule = "A presentation of which no frame was scored keeps its place in every denominator. Its score is 0 by rule: it counts as rejected. " +
	"For an attack this is no error, for a bona fide it is one. Its verdict is inconclusive."
