package motion

// spacing of the points that are compared, along both axes. Smoothed luma has nothing finer.
const spacing = 2

// apart is the distance, along an axis, of two points whose differences are multiplied to tell motion from noise: noise of single pixels
// and of an encoder's blocks ends before, that of an eye or a mouth does not.
const apart = 4

// node is a point of the inner part that is compared.
type node struct {
	u, v         float32 // in [-1, 1], from the middle
	at           int     // index in a patch
	right, below int     // indices in the grid of the nodes apart from this one; -1 outside the face
}

// grid is every node inside the face.
var grid = makeGrid()

func makeGrid() (list []node) {
	index := map[[2]int]int{}
	for y := 0; y < side; y += spacing {
		for x := 0; x < side; x += spacing {
			u, v := (float32(x)-(side-1)/2.0)/(side/2), (float32(y)-(side-1)/2.0)/(side/2)
			if inFace(u, v) {
				index[[2]int{x, y}] = len(list)
				list = append(list, node{u: u, v: v, at: (y+margin)*wide + x + margin, right: -1, below: -1})
			}
		}
	}
	for at, i := range index {
		if j, ok := index[[2]int{at[0] + apart, at[1]}]; ok {
			list[i].right = j
		}
		if j, ok := index[[2]int{at[0], at[1] + apart}]; ok {
			list[i].below = j
		}
	}
	return list
}

// inFace is an ellipse inside the contour of a frontal face.
func inFace(u, v float32) bool {
	x, y := u/0.72, (v-0.10)/0.86
	return x*x+y*y <= 1
}
