package liveproof

import "math"

// Pose is how a head is turned, in degrees. It is estimated from five landmarks with the proportions of an average head: a person's
// own is off by a constant, and by some tens of per cent. So it is compared with the same person's pose a moment before.
type Pose struct {
	// Yaw is positive towards the right of the picture, [-45, 45]: the person's own left, where the picture is not mirrored.
	Yaw float64
	// Pitch is positive downwards, [-53, 53].
	Pitch float64
}

// Proportions of an average head.
const (
	// noseDepth is how far the tip of the nose stands before the plane of the pupils, in half their distance.
	noseDepth = 1.0
	// noseSinks is how far Quality.Pitch moves by the tangent of the pitch: the nose's tip stands about 32 mm before the pupils' plane, the
	// mouth 12 mm, and the mouth lies 66 mm below the pupils.
	noseSinks = 0.77
)

// Pose is the quality's turn of the head in degrees.
func (q Quality) Pose() Pose {
	degrees := func(tangent float64) float64 { return math.Atan(tangent) * 180 / math.Pi }
	return Pose{Yaw: degrees(q.Yaw / noseDepth), Pitch: degrees(q.Pitch / noseSinks)}
}
