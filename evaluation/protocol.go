package evaluation

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/liveproof/liveproof/benchmark"
)

// Protocol plans a benchmark protocol with all its folds, or one of its folds: its development and test videos among
// files. The case of the name's letters does not matter. A source dataset without files only leaves
// development videos out, which is a warning; a fold without test videos is an error.
func Protocol(c *benchmark.Catalogue, name string, population benchmark.Population, files []benchmark.File) (Plan, error) {
	folds, err := c.Folds(name, population)
	if err != nil {
		return Plan{}, err
	}
	videos, paths := make([]benchmark.Video, len(files)), map[string]string{}
	for i, f := range files {
		videos[i], paths[nameOf(f.Video)] = f.Video, f.Path
	}
	if err := benchmark.Distinct(videos); err != nil {
		return Plan{}, err
	}
	p := Plan{Title: titleOf(folds), Protocol: protocolName(folds)}
	if folds[0].Kind() == benchmark.Cross {
		p.Population = string(cmp.Or(population, benchmark.Populations()[0]))
	}
	planned := map[string]bool{}
	var said warnings
	for _, fold := range folds {
		uses := fold.Apply(videos)
		if err := p.addFold(fold, uses, paths, planned, len(folds) > 1); err != nil {
			return Plan{}, err
		}
		said.add(fold, uses, p.Folds[len(p.Folds)-1])
	}
	p.Warnings = said.list()
	return p, nil
}

// protocolName is the family's where there are several folds.
func protocolName(folds []benchmark.Protocol) string {
	if len(folds) == 1 {
		return folds[0].Name
	}
	return folds[0].Family
}

// titleOf names what is trained on and what is tested.
func titleOf(folds []benchmark.Protocol) string {
	p := folds[0]
	if p.Kind() == benchmark.Intra {
		return protocolName(folds)
	}
	return fmt.Sprintf("%s: %s to %s", p.Name, strings.Join(p.Train(), ", "), strings.Join(p.Test(), ", "))
}

// addFold adds a fold and those of its videos that are not planned yet.
func (p *Plan) addFold(protocol benchmark.Protocol, uses []benchmark.Use, paths map[string]string, planned map[string]bool, named bool) error {
	var fold Fold
	if named {
		fold.Name = protocol.Name
	}
	for _, u := range uses {
		name := nameOf(u.Video)
		switch u.Role {
		case benchmark.RoleDev:
			fold.Dev = append(fold.Dev, name)
		case benchmark.RoleTest:
			fold.Eval = append(fold.Eval, name)
		default: // what the model was trained on is not judged
			continue
		}
		if !planned[name] {
			planned[name] = true
			p.Presentations = append(p.Presentations, presentationOf(u.Video, paths[name]))
		}
	}
	if len(fold.Eval) == 0 {
		return fmt.Errorf("%s: no test video: name the folder of %s", protocol.Name, strings.Join(protocol.Test(), ", "))
	}
	p.Folds = append(p.Folds, fold)
	return nil
}

func nameOf(v benchmark.Video) string { return v.Dataset + "/" + v.ID }

func presentationOf(v benchmark.Video, path string) Presentation {
	p := Presentation{
		Name: nameOf(v), Path: path, Subject: v.Dataset + "/" + v.Subject, Instrument: v.Instrument, Turned: v.Turned(),
		Meta: map[string]string{"dataset": v.Dataset, "split": string(v.Split), "session": v.Session, "camera": v.Camera},
	}
	if v.PAI != benchmark.BonaFide {
		p.AttackType = string(v.PAI)
	}
	return p
}

// MetaNames lists the names of all metadata columns of the plan, sorted.
func (p Plan) MetaNames() []string {
	seen := map[string]bool{}
	var names []string
	for _, q := range p.Presentations {
		for name := range q.Meta {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}
