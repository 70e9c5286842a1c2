package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"
)

// loadDocument is read once: every test's answers are held against it.
var loadDocument = sync.OnceValues(func() (*openapi3.T, error) {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background())
})

func TestDocumentIsValid(t *testing.T) {
	doc, err := loadDocument()
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
}

// TestSchemaAndServerAgree: by the document that a server gives, a body is valid exactly if that server accepts it.
func TestSchemaAndServerAgree(t *testing.T) {
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) {
		d.MinDeadline, d.Session.MaxDeadline = 4500*time.Millisecond, 45*time.Second
	})
	r := w.call("GET", "/openapi.yaml", "")
	doc, err := openapi3.NewLoader().LoadFromData(r.body)
	require.NoError(t, err)
	schema := doc.Components.Schemas["Creation"].Value
	deadline := schema.Properties["deadline_s"].Value
	require.InDelta(t, 4.5, *deadline.Min, 0)
	require.InDelta(t, 45, *deadline.Max, 0)
	for body, want := range map[string]bool{
		`{}`: true, `{"mode":"call"}`: true, `{"mode":""}`: false, `{"mode":null}`: false, `{"Mode":"call"}`: false,
		`{"deadline_s":4.5}`: true, `{"deadline_s":4.499}`: false, `{"deadline_s":45}`: true, `{"deadline_s":45.001}`: false,
		`{"deadline_s":1e300}`: false, `{"deadline_s":"5"}`: false, `{"deadline_s":null}`: false, `{"deadline_s":true}`: false,
		`{"calibration":""}`: true, `{"calibration":"low"}`: true, `{"calibration":null}`: false, `{"calibration":"LOW"}`: false,
		`{"external_id":null}`: false, `{"external_id":7}`: false, `{"external_id":"kunde ü 👩‍🚀 \ue000"}`: true,
		`{"external_id":"a\nb"}`: false, `{"external_id":"a\u007fb"}`: false, `{"external_id":"a\u0085"}`: false,
		`{"external_id":"a\u202eb"}`: false, `{"external_id":"a\u2028b"}`: false, `{"external_id":"\ufeff"}`: false,
		`{"external_id":"` + strings.Repeat("ü", 128) + `"}`: true, `{"external_id":"` + strings.Repeat("ü", 129) + `"}`: false,
		`{"other":1}`: false, `[]`: false, `null`: false,
	} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(body), &value))
		require.Equal(t, want, doc.ValidateSchemaJSON(schema, value) == nil, "the schema, of %s", body)
		require.Equal(t, want, w.call("POST", "/v1/sessions", body, withKey()...).StatusCode == http.StatusCreated, "the server, of %s", body)
	}
}

// TestEnumsHaveTypes: generators of clients drop an enum without a type.
func TestEnumsHaveTypes(t *testing.T) {
	for i, line := range strings.Split(string(openAPI), "\n") {
		if found := regexp.MustCompile(`\{ (enum|const):`).FindString(line); found != "" {
			t.Errorf("line %d: no type beside %q", i+1, found)
		}
	}
	doc, err := loadDocument()
	require.NoError(t, err)
	for name, schema := range doc.Components.Schemas {
		for property, p := range schema.Value.Properties {
			if len(p.Value.Enum) > 0 {
				require.NotNil(t, p.Value.Type, "%s.%s", name, property)
			}
		}
	}
}

// TestDocumentSaysWhoMayCall: an operation without security is one that the author forgot.
func TestDocumentSaysWhoMayCall(t *testing.T) {
	doc, err := loadDocument()
	require.NoError(t, err)
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			require.NotNil(t, op.Security, "%s %s", method, path)
		}
	}
}

// TestDocumentListsEveryRoute: what is served is described, what is described is served.
func TestDocumentListsEveryRoute(t *testing.T) {
	doc, err := loadDocument()
	require.NoError(t, err)
	w := newWorld(t, func(_ *Config, d *Deps, _ *fakeStore) { d.Demo = true })
	var served, described []string
	for _, r := range w.server.routes {
		served = append(served, r.method+" "+r.path)
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	require.ElementsMatch(t, served, described)
}

// TestDocumentListsEveryCode: in the schema and in the table of errors.
func TestDocumentListsEveryCode(t *testing.T) {
	doc, err := loadDocument()
	require.NoError(t, err)
	var have, want []string
	for _, v := range doc.Components.Schemas["Problem"].Value.Properties["code"].Value.Enum {
		have = append(have, v.(string))
	}
	for code, about := range codes {
		want = append(want, string(code))
		require.Contains(t, doc.Info.Description, fmt.Sprintf("| %d | `%s` | %s |", about.status, code, about.fault))
	}
	require.Len(t, codes, codeConstants(t), "every constant has its row")
	require.ElementsMatch(t, want, have)
}

// codeConstants counts the constants of type Code.
func codeConstants(t *testing.T) (n int) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "problem_codes.go", nil, 0)
	require.NoError(t, err)
	ast.Inspect(file, func(node ast.Node) bool {
		if spec, ok := node.(*ast.ValueSpec); ok && strings.HasPrefix(spec.Names[0].Name, "Code") {
			n++
		}
		return true
	})
	return n
}

// checkAgainstDocument fails when an answer is not what openapi.yaml says.
func checkAgainstDocument(t testing.TB, req *http.Request, resp *http.Response, body []byte) {
	t.Helper()
	doc, err := loadDocument()
	require.NoError(t, err)
	op := operation(doc, req)
	if op == nil { // an unknown path or method: a problem like any other
		op = doc.Paths.Value("/v1/sessions").Post
	}
	described := op.Responses.Status(resp.StatusCode)
	if described == nil {
		described = op.Responses.Default()
	}
	require.NotNil(t, described, "%s %s: status %d is not described", req.Method, req.URL.Path, resp.StatusCode)
	content := described.Value.Content
	if content == nil || len(body) == 0 {
		require.Empty(t, body)
		return
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	require.NoError(t, err)
	if !strings.HasSuffix(kind, "json") {
		return
	}
	media := content.Get(kind)
	require.NotNil(t, media, "%s %s: %s is not described", req.Method, req.URL.Path, kind)
	var value any
	require.NoError(t, json.Unmarshal(body, &value), "%s", body)
	require.NoError(t, doc.ValidateSchemaJSON(media.Schema.Value, value), "%s %s → %s", req.Method, req.URL.Path, body)
}

var parameter = regexp.MustCompile(`\{[^}]*\}`)

func operation(doc *openapi3.T, req *http.Request) *openapi3.Operation {
	for path, item := range doc.Paths.Map() {
		pattern := "^" + parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$"
		pattern = strings.ReplaceAll(pattern, `\[^/]+`, "[^/]+")
		if regexp.MustCompile(pattern).MatchString(req.URL.Path) {
			return item.GetOperation(req.Method)
		}
	}
	return nil
}

// TestCheckCanFail: a check that accepts everything proves nothing.
func TestCheckCanFail(t *testing.T) {
	doc, err := loadDocument()
	require.NoError(t, err)
	schema := doc.Components.Schemas["Session"].Value
	require.Error(t, doc.ValidateSchemaJSON(schema, map[string]any{"id": "x"}))
	req, _ := http.NewRequest(http.MethodGet, "/v1/sessions/x/timeline", nil)
	require.Equal(t, "readTimeline", operation(doc, req).OperationID)
}
