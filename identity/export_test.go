package identity

import (
	"context"

	"github.com/liveproof/liveproof"
)

// Sight is what a view shows of a person and of the scene, for the study of package identity_test.
type Sight struct{ of sight }

// See describes a view; false where the face cannot be compared.
func See(v liveproof.View) (s Sight, ok bool) {
	of := see(v)
	return Sight{of.sight}, of.aligned
}

// Nearest is the greatest likeness of the person and of the scene with any of the others.
func (s Sight) Nearest(others []Sight) (person, scene float64) {
	var g gallery
	for _, o := range others {
		g = append(g, o.of)
	}
	return g.nearest(s.of)
}

// Vector is a face's embedding.
type Vector struct{ of *embedding }

// Embed embeds the face of a view.
func (i *Identity) Embed(ctx context.Context, v liveproof.View) (Vector, error) {
	at, _ := alignment(v.Face.Landmarks)
	vec, err := i.embedder.embed(ctx, faceOf(v.Image, at))
	return Vector{vec}, err
}

// Cosine of two embeddings.
func (v Vector) Cosine(o Vector) float64 { return v.of.cosine(o.of) }
