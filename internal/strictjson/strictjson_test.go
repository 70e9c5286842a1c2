package strictjson

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

type order struct {
	Mode   string   `json:"mode"`
	Limit  *float64 `json:"limit"`
	Nested struct {
		Deep int `json:"deep"`
	} `json:"nested"`
	Free Raw `json:"free"`
}

func TestObject(t *testing.T) {
	var o order
	require.NoError(t, Object([]byte(` {"mode":"ü","limit":1e2,"nested":{"deep":-1},"free":null} `), &o))
	require.Equal(t, "ü", o.Mode)
	require.InDelta(t, 100, *o.Limit, 0)
	require.Equal(t, -1, o.Nested.Deep)
	require.Equal(t, "null", string(o.Free))
	require.NoError(t, Object([]byte(`{}`), &o))
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]Error{
		``:                             {"", "not valid JSON: it ends too early"},
		`{`:                            {"", "not valid JSON: it ends too early"},
		`{"mode":"x",}`:                {"", "not valid JSON"},
		`[]`:                           {"", "not a JSON object"},
		`null`:                         {"", "not a JSON object"},
		`"x"`:                          {"", "not a JSON object"},
		`{} {}`:                        {"", "more than one JSON value"},
		`{}x`:                          {"", "more than one JSON value"},
		`{"mode":null}`:                {"mode", "mode is null; leave it out instead"},
		`{"limit":null}`:               {"limit", "limit is null; leave it out instead"},
		`{"nested":null}`:              {"nested", "nested is null; leave it out instead"},
		`{"nested":{"deep":null}}`:     {"nested.deep", "nested.deep is null; leave it out instead"},
		`{"Mode":"x"}`:                 {"Mode", `unknown member "Mode"`},
		`{"MODE":"x"}`:                 {"MODE", `unknown member "MODE"`},
		`{"nested":{"Deep":1}}`:        {"nested.Deep", `unknown member "nested.Deep"`},
		`{"mode":"x","mode":"x"}`:      {"mode", `member "mode" comes twice`},
		`{"mode":"x","\u006dode":"x"}`: {"mode", `member "mode" comes twice`},
		`{"free":{"a":1,"a":2}}`:       {"free.a", `member "free.a" comes twice`},
		"{\"mode\":\"\xff\"}":          {"", "not valid JSON: a string is not valid UTF-8"},
		`{"mode":"\ud800"}`:            {"", "not valid JSON: a string is not valid UTF-8"},
		`{"mode":7}`:                   {"mode", "mode has the wrong type"},
		`{"limit":"1"}`:                {"limit", "limit has the wrong type"},
		`{"limit":1e400}`:              {"limit", "limit has the wrong type"},
		`{"limit":NaN}`:                {"", "not valid JSON"},
		"\ufeff{}":                     {"", "not valid JSON"},
	} {
		var refused *Error
		require.ErrorAs(t, Object([]byte(text), &order{}), &refused, "%q", text)
		require.Equal(t, want, *refused, "%q", text)
	}
	var long *Error
	require.ErrorAs(t, Object([]byte(`{"`+strings.Repeat("ü", 500)+`":1}`), &order{}), &long)
	require.Less(t, len(long.Field), 80)
}

func TestOpenObject(t *testing.T) {
	var o order
	require.NoError(t, OpenObject([]byte(`{"mode":"x","limit":null,"other":[1]}`), &o))
	require.Equal(t, "x", o.Mode)
	require.Nil(t, o.Limit)
	o = order{}
	require.NoError(t, OpenObject([]byte(`{"Mode":"x"}`), &o))
	require.Empty(t, o.Mode, "another name")
	for _, text := range []string{`[]`, `null`, `{"mode":"x","mode":"x"}`, "{\"a\":\"\xff\"}"} {
		require.Error(t, OpenObject([]byte(text), &o), text)
	}
}

// FuzzObject: what is accepted is valid UTF-8 and valid JSON, and reads the same by the standard library's rules.
func FuzzObject(f *testing.F) {
	for _, s := range []string{`{}`, `{"mode":"x","limit":1,"nested":{"deep":2},"free":[null]}`, `{"mode":null}`, `{"MODE":""}`, "{\"mode\":\"\xff\"}", `{"a":{"a":1,"a":2}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var ours, theirs order
		if err := Object(text, &ours); err != nil {
			var refused *Error
			require.ErrorAs(t, err, &refused)
			require.NotEmpty(t, refused.Detail)
			require.True(t, utf8.ValidString(refused.Detail))
			return
		}
		require.True(t, utf8.Valid(text))
		d := json.NewDecoder(strings.NewReader(string(text)))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&theirs))
		require.Equal(t, theirs.Mode, ours.Mode)
		require.Equal(t, theirs.Limit, ours.Limit)
		require.Equal(t, theirs.Nested, ours.Nested)
	})
}
