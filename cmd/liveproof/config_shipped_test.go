package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write the files anew that are made from the code")

const shippedConfig = "../../configs/liveproof.yaml"

// TestShippedConfig checks configs/liveproof.yaml against the code: the same
// values, and the same words, which are the comments of the Config fields.
func TestShippedConfig(t *testing.T) {
	want := renderConfig(t)
	if *update {
		require.NoError(t, os.WriteFile(shippedConfig, []byte(want), 0o644))
	}
	got, err := os.ReadFile(shippedConfig)
	require.NoError(t, err)
	const mend = "run: go test ./cmd/liveproof -run TestShippedConfig -update"
	lines := strings.Split(string(got), "\n")
	for i, line := range strings.Split(want, "\n") {
		require.Less(t, i, len(lines), mend)
		require.Equal(t, line, lines[i], mend)
	}

	var parsed Config // starts from nothing: every key must stand in the file
	require.NoError(t, parseConfig(got, &parsed))
	clearUnset(reflect.ValueOf(&parsed).Elem())
	want2 := DefaultConfig()
	clearUnset(reflect.ValueOf(&want2).Elem())
	require.Equal(t, want2, parsed)
}

// clearUnset makes nil and empty lists equal and forgets fields that no file sets.
func clearUnset(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Field(i)
		switch {
		case v.Type().Field(i).Tag.Get("yaml") == "-", isList(field) && field.Len() == 0:
			field.SetZero()
		case field.Kind() == reflect.Struct:
			clearUnset(field)
		}
	}
}

func isList(v reflect.Value) bool { return v.Kind() == reflect.Slice || v.Kind() == reflect.Map }

const configHead = `# Liveproof's configuration: every key with its default. Give it with --config; keys that are
# left out keep their default, unknown ones are refused. Each can also be set in the environment as
# LIVEPROOF_<SECTION>_<KEY>, for example LIVEPROOF_WEBRTC_UDP_PORT=9000; lists are separated by commas.
# Without --dev a server with a configuration file needs ingest.api_keys and ingest.token_secret.
`

func renderConfig(t *testing.T) string {
	docs := fieldComments(t)
	var b strings.Builder
	b.WriteString(configHead)
	for section, v := range DefaultConfig().sections() {
		fmt.Fprintf(&b, "\n%s:\n", section)
		renderFields(t, &b, docs, v, "  ")
	}
	return b.String()
}

func renderFields(t *testing.T, b *strings.Builder, docs map[string]string, v reflect.Value, indent string) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if tag == "-" {
			continue
		}
		require.NotEmpty(t, tag, "%v.%s has no yaml key", v.Type(), field.Name)
		for line := range strings.SplitSeq(inKeys(v.Type(), docs[docKey(v.Type(), field.Name)]), "\n") {
			if line != "" {
				fmt.Fprintf(b, "%s# %s\n", indent, line)
			}
		}
		if v.Field(i).Kind() == reflect.Struct {
			fmt.Fprintf(b, "%s%s:\n", indent, tag)
			renderFields(t, b, docs, v.Field(i), indent+"  ")
			continue
		}
		value := v.Field(i)
		if value.Kind() == reflect.Slice && value.IsNil() {
			value = reflect.MakeSlice(value.Type(), 0, 0)
		}
		node := new(yaml.Node)
		require.NoError(t, node.Encode(value.Interface()))
		node.Style |= yaml.FlowStyle
		text, err := yaml.Marshal(node)
		require.NoError(t, err)
		fmt.Fprintf(b, "%s%s: %s\n", indent, tag, strings.TrimSpace(string(text)))
	}
}

// inKeys speaks of keys where the comment speaks of Go fields.
func inKeys(t reflect.Type, comment string) string {
	for field := range t.Fields() {
		field, tag := field.Name, field.Tag.Get("yaml")
		word := regexp.MustCompile(`\b` + field + `\b`)
		comment = strings.ReplaceAll(comment, " and "+field+" ", " and "+tag+" ")
		if strings.HasPrefix(comment, field+" ") {
			comment = tag + comment[len(field):]
		}
		if strings.ContainsFunc(field[1:], unicode.IsUpper) && field != strings.ToUpper(field) {
			comment = word.ReplaceAllString(comment, tag)
		}
	}
	return strings.TrimSpace(comment)
}

func docKey(t reflect.Type, field string) string {
	return t.PkgPath() + "." + t.Name() + "." + field
}

// fieldComments reads the comments of all struct fields of the rooms, by package, type and field.
func fieldComments(t *testing.T) map[string]string {
	docs := map[string]string{}
	for _, section := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		pkg := section.Type.PkgPath()
		dir := "../../" + strings.TrimPrefix(pkg, "github.com/liveproof/liveproof/")
		if !strings.Contains(pkg, "/liveproof/") || strings.HasSuffix(pkg, "cmd/liveproof") || pkg == "main" {
			dir = "."
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			collectComments(t, docs, pkg, file)
		}
	}
	return docs
}

func collectComments(t *testing.T, docs map[string]string, pkg, file string) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		body, ok := spec.Type.(*ast.StructType)
		if !ok {
			return false
		}
		for _, field := range body.Fields.List {
			for _, name := range field.Names {
				docs[pkg+"."+spec.Name.Name+"."+name.Name] = field.Doc.Text() + field.Comment.Text()
			}
		}
		return false
	})
}
