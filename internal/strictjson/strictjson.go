// Package strictjson reads JSON from outside the service in one way only: as I-JSON (RFC 7493). Two readers of the same text can
// then not disagree about what it says.
package strictjson

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Raw is a member whose JSON the caller decodes later. It is the one kind of member that may be null.
type Raw = jsontext.Value

// Error is a text that was refused.
type Error struct {
	// Field is the member that is wrong, "" when the text as a whole is.
	Field string
	// Detail says what is wrong, in words for the sender. It holds no part of the text but names of members.
	Detail string
}

// Error implements error.
func (e *Error) Error() string { return e.Detail }

var (
	errNull   = errors.New("null")
	notNull   = json.WithUnmarshalers(json.UnmarshalFromFunc(refuseNull))
	onlyKnown = json.RejectUnknownMembers(true)
)

// maxName bounds the name of a member in an error, in bytes.
const maxName = 64

// Object decodes the one JSON object of text into the struct that into points to. It returns an *Error for
//   - anything but one object in valid UTF-8, with nothing after it;
//   - a member that the struct does not have: names are compared exactly, upper and lower case are different;
//   - a member that comes twice, at any depth;
//   - null for any member but a Raw;
//   - a value of another type, or a number that the member cannot hold.
func Object(text []byte, into any) error { return object(text, into, notNull, onlyKnown) }

// OpenObject is Object for a dictionary of another specification, which may grow: it ignores members that the struct does
// not have, and null stands for a member that is absent.
func OpenObject(text []byte, into any) error { return object(text, into) }

func object(text []byte, into any, options ...json.Options) error {
	if first := bytes.TrimLeft(text, " \t\r\n"); len(first) > 0 && first[0] != '{' && jsontext.Value(text).IsValid() {
		return &Error{Detail: "not a JSON object"}
	}
	if err := json.Unmarshal(text, into, options...); err != nil {
		return describe(err)
	}
	return nil
}

// refuseNull sees every value before it is decoded.
func refuseNull(d *jsontext.Decoder, into any) error {
	if _, raw := into.(*Raw); !raw && d.PeekKind() == 'n' {
		return errNull
	}
	return errors.ErrUnsupported // decode it as usual
}

// describe puts the library's error into words.
func describe(err error) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		return describeSyntax(syntax)
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return &Error{Detail: "not valid JSON"}
	}
	field := fieldOf(semantic.JSONPointer)
	switch {
	case errors.Is(err, errNull) && field == "":
		return &Error{Detail: "not a JSON object"}
	case errors.Is(err, errNull):
		return &Error{Field: field, Detail: field + " is null; leave it out instead"}
	case errors.Is(err, json.ErrUnknownName):
		return &Error{Field: field, Detail: fmt.Sprintf("unknown member %q", field)}
	}
	return &Error{Field: field, Detail: field + " has the wrong type"}
}

func describeSyntax(err *jsontext.SyntacticError) error {
	field := fieldOf(err.JSONPointer)
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return &Error{Field: field, Detail: fmt.Sprintf("member %q comes twice", field)}
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &Error{Detail: "not valid JSON: it ends too early"}
	case strings.Contains(err.Error(), "UTF-8"), strings.Contains(err.Error(), "surrogate"):
		return &Error{Detail: "not valid JSON: a string is not valid UTF-8"}
	case strings.Contains(err.Error(), "after top-level value"):
		return &Error{Detail: "more than one JSON value"}
	}
	return &Error{Detail: "not valid JSON"}
}

// fieldOf names a member by its path, joined by dots.
func fieldOf(p jsontext.Pointer) string {
	var path []string
	for name := range p.Tokens() {
		path = append(path, name)
	}
	field := strings.Join(path, ".")
	if len(field) > maxName {
		field = strings.ToValidUTF8(field[:maxName], "") + "…"
	}
	return field
}
