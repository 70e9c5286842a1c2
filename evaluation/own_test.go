package evaluation_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/liveproof/liveproof/evaluation"
)

// someFiles makes a folder with empty files.
func someFiles(t testing.TB, names ...string) (root string) {
	t.Helper()
	root = t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, nil, 0o600))
	}
	return root
}

func table(text string) evaluation.Table {
	return evaluation.Table{Name: "list.csv", Content: strings.NewReader(text)}
}

func TestOwnTable(t *testing.T) {
	root := someFiles(t, "a.mp4", "b/c.jpg", "d, e.mov", "t.mp4")
	text := "\xef\xbb\xbfFilename, subject ,attack_type,instrument,set,camera,light\r\n" +
		"a.mp4,anna,,,eval,phone,\"day, outside\"\r\n" +
		"b/c.jpg, bo ,print,printer 1,dev,laptop,\r\n" +
		"\"d, e.mov\",anna,replay,,test,phone,\"a\nb\"\r\n" +
		"t.mp4,cy,,,train,phone,\r\n"
	plan, err := evaluation.Own("mine", []evaluation.Table{table(text)}, evaluation.OwnFiles{Root: root})
	require.NoError(t, err)
	require.Equal(t, evaluation.Plan{
		Title: "mine", Warnings: []string{"1 rows of the set train are not judged"},
		Presentations: []evaluation.Presentation{
			{Name: "a.mp4", Path: filepath.Join(root, "a.mp4"), Subject: "anna", Meta: map[string]string{"camera": "phone", "light": "day, outside"}},
			{Name: "b/c.jpg", Path: filepath.Join(root, "b/c.jpg"), Subject: "bo", AttackType: "print", Instrument: "printer 1", Meta: map[string]string{"camera": "laptop", "light": ""}},
			{Name: "d, e.mov", Path: filepath.Join(root, "d, e.mov"), Subject: "anna", AttackType: "replay", Meta: map[string]string{"camera": "phone", "light": "a\nb"}},
		},
		Folds: []evaluation.Fold{{Dev: []string{"b/c.jpg"}, Eval: []string{"a.mp4", "d, e.mov"}}},
	}, plan)
}

func TestOwnTableOfLabels(t *testing.T) {
	root := someFiles(t, "1.jpg", "2.jpg", "3.jpg")
	text := "file,label,series,matched\n1.jpg,1,x,1\n2.jpg,0,y,1\n3.jpg,0,y,0\n"
	o := evaluation.OwnFiles{Root: root}
	plan, err := evaluation.Own("", []evaluation.Table{table(text)}, o)
	require.NoError(t, err)
	require.Equal(t, []string{"1.jpg", "2.jpg", "3.jpg"}, plan.Folds[0].Eval)
	require.Empty(t, plan.Folds[0].Dev)
	require.Len(t, plan.Warnings, 1)
	require.Contains(t, plan.Warnings[0], "there is no column subject")
	require.Equal(t, [2]string{"2.jpg", "attack"}, [2]string{plan.Presentations[1].Subject, plan.Presentations[1].AttackType})

	o.Columns, o.Only = map[string]string{"subject": "series"}, map[string]string{"matched": "1"}
	plan, err = evaluation.Own("", []evaluation.Table{table(text)}, o)
	require.NoError(t, err)
	require.Len(t, plan.Presentations, 2)
	require.Equal(t, []string{"1 rows are left out by the choice of values"}, plan.Warnings)
	require.Equal(t, "y", plan.Presentations[1].Subject)
	require.Equal(t, map[string]string{"series": "y", "matched": "1"}, plan.Presentations[1].Meta, "a column that stands for another is still one of its own")
}

func TestOwnTableASet(t *testing.T) {
	root := someFiles(t, "1.jpg", "2.jpg")
	dev, eval := table("filename,subject,attack_type,set\n1.jpg,a,,first\n"), table("filename,subject,attack_type\n2.jpg,b,mask\n")
	dev.Set, eval.Set = evaluation.SetDev, evaluation.SetEval
	plan, err := evaluation.Own("", []evaluation.Table{dev, eval}, evaluation.OwnFiles{Root: root})
	require.NoError(t, err)
	require.Equal(t, []evaluation.Fold{{Dev: []string{"1.jpg"}, Eval: []string{"2.jpg"}}}, plan.Folds)
	require.Equal(t, map[string]string{"set": "first"}, plan.Presentations[0].Meta, "the set is known")
}

// Every fault of every row is told at once, by its line.
func TestOwnTableFaults(t *testing.T) {
	root := someFiles(t, "a.jpg", "b.jpg", "c.jpg", "sub/d.jpg")
	text := strings.Join([]string{
		"filename,subject,attack_type,label,set",
		"a.jpg,s,,1,eval",
		"a.jpg,s,,1,eval",       // 3
		"sub/../a.jpg,s,,1,dev", // 4
		"../x.jpg,s,,1,eval",
		"/etc/passwd,s,,1,eval",
		"none.jpg,s,,1,eval", // 7
		"sub,s,,1,eval",
		"b.jpg,,,1,eval", // 9
		"b.jpg,s,real,1,eval",
		"b.jpg,s,,yes,eval", // 11
		"b.jpg,s,print,1,eval",
		"b.jpg,s,,0,eval", // 13
		"b.jpg,s,,1,later",
		"b.jpg,s,,1", // 15
		",s,,1,eval",
		"b.jpg,s,\x00,1,eval", // 17
		"b.jpg,s,\xff,1,eval",
		"b.jpg," + strings.Repeat("s", 5000) + ",,1,eval", // 19
		`b"x.jpg,s,,1,eval`,
		"c.jpg,s,,1,eval",
	}, "\n")
	_, err := evaluation.Own("", []evaluation.Table{table(text)}, evaluation.OwnFiles{Root: root})
	require.Error(t, err)
	for _, says := range []string{
		"list.csv:3: a.jpg is in list.csv:2 already",
		"list.csv:4: sub/../a.jpg is in list.csv:2 already",
		"list.csv:5: ../x.jpg leaves the root: write it relative to " + root,
		"list.csv:6: /etc/passwd leaves the root",
		"list.csv:7: none.jpg: there is no such file in " + root,
		"list.csv:8: sub is no regular file",
		"list.csv:9: subject is empty",
		`list.csv:10: attack_type "real": name the kind of attack, such as print, and leave it empty for bona fide`,
		`list.csv:11: label "yes" is neither 1 (bona fide) nor 0 (attack)`,
		`list.csv:12: label 1 and attack_type "print" contradict each other`,
		`list.csv:13: label 0 and attack_type "" contradict each other`,
		`list.csv:14: set "later" is not train, dev or eval`,
		"list.csv:15: 4 fields; the header has 5",
		"list.csv:16: filename is empty",
		"list.csv:17: field 3 is no UTF-8 text",
		"list.csv:18: field 3 is no UTF-8 text",
		"list.csv:19: field 2 is longer than 4096 bytes",
		`list.csv:20: bare " in non-quoted-field`,
	} {
		require.ErrorContains(t, err, says)
	}
	require.Len(t, strings.Split(err.Error(), "\n"), 18, "and nothing else: %v", err)
}

func TestOwnTableThatIsNone(t *testing.T) {
	root := someFiles(t, "a.jpg")
	for _, c := range []struct{ text, says string }{
		{"", "list.csv: it is empty"},
		{"\xff\xfef\x00", "list.csv: it is UTF-16: save it as UTF-8"},
		{"filename;subject;attack_type\n", "separated by semicolons"},
		{"filename,,label\n", "column 2 has no usable name"},
		{"filename,label,Label\n", `two columns are named "Label"`},
		{strings.Repeat("x,", 70) + "x\n", "71 columns are more than 64"},
		{"path,truth\n", "list.csv:1: there is no column filename; name it with filename=COLUMN\nthere is neither a column attack_type"},
		{"filename,subject,label\n", "no row is in the set eval"},
		{"filename,subject,label,set\na.jpg,s,1,dev\n", "no row is in the set eval"},
		{"filename,label\na.jpg,\"1\n", `list.csv:2: extraneous or missing " in quoted-field`},
	} {
		_, err := evaluation.Own("", []evaluation.Table{table(c.text)}, evaluation.OwnFiles{Root: root})
		require.ErrorContains(t, err, c.says, "%q", c.text)
	}
	_, err := evaluation.Own("", []evaluation.Table{table("filename,label\na.jpg,1\n")},
		evaluation.OwnFiles{Root: root, Columns: map[string]string{"subject": "person"}, Only: map[string]string{"phone": "1"}})
	require.ErrorContains(t, err, `there is no column "person"; there are filename, label`)
	require.ErrorContains(t, err, `there is no column "phone"`)
	_, err = evaluation.Own("", nil, evaluation.OwnFiles{Root: root, Columns: map[string]string{"person": "x"}})
	require.ErrorContains(t, err, `"person" is no column that can be chosen; there are attack_type, filename, instrument, label, set, subject`)
}

func TestOwnTableWithManyFaults(t *testing.T) {
	var text strings.Builder
	text.WriteString("filename,label\n")
	for i := range 1000 {
		fmt.Fprintf(&text, "%d.jpg,1\n", i)
	}
	_, err := evaluation.Own("", []evaluation.Table{table(text.String())}, evaluation.OwnFiles{Root: t.TempDir()})
	require.ErrorContains(t, err, "and 950 more faults")
}

// A table never makes a plan of files outside the root, of two sets, or of a presentation twice.
func FuzzOwn(f *testing.F) {
	for _, seed := range []string{
		"filename,subject,attack_type\na.jpg,s,\nb.jpg,s,print\n", "\xef\xbb\xbffile,label,set\r\n\"a.jpg\",1,dev\r\nb.jpg,0,eval\r\n",
		"filename,label\n../a.jpg,1\n", "filename,label\n\"a.jpg,1\n", "a;b\n", "\xff\xfe", "filename,label\nsub/../a.jpg,1\na.jpg,1\n",
	} {
		f.Add(seed)
	}
	root := someFiles(f, "a.jpg", "b.jpg", "sub/c.jpg")
	f.Fuzz(func(t *testing.T, text string) {
		plan, err := evaluation.Own("x", []evaluation.Table{table(text)}, evaluation.OwnFiles{Root: root})
		if err != nil {
			require.Empty(t, plan.Presentations)
			return
		}
		paths := map[string]bool{}
		for _, p := range plan.Presentations {
			require.True(t, strings.HasPrefix(p.Path, root+string(filepath.Separator)), p.Path)
			require.False(t, paths[p.Path], "twice")
			require.NotEmpty(t, p.Subject)
			paths[p.Path] = true
		}
		require.NotEmpty(t, plan.Folds[0].Eval)
		require.Len(t, plan.Presentations, len(plan.Folds[0].Dev)+len(plan.Folds[0].Eval))
	})
}
