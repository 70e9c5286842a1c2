package ingest

import (
	"slices"
	"strings"
)

// ifMatch is the field If-Match (RFC 9110, section 13.1.1).
type ifMatch struct {
	any  bool
	tags []string // strong entity tags with their quotes
}

// parseIfMatch reads the values of the field's lines. Weak entity tags are left
// out, because the comparison is strong and they match nothing. The figures of
// RFC 9725 write the star in quotes, so that is a star too.
func parseIfMatch(lines []string) (ifMatch, error) {
	var m ifMatch
	rest := strings.TrimSpace(strings.Join(lines, ","))
	if rest == "" {
		return m, problem(CodePreconditionRequired, `If-Match is needed: the ETag of the 201, or of the last 200 to a PATCH; "*" for an ICE restart`)
	}
	for rest != "" {
		tag, after, ok := cutTag(rest)
		if !ok {
			return m, problem(CodeInvalidRequest, `If-Match must be * or a list of entity tags, each in double quotes`)
		}
		if tag == "*" || tag == `"*"` {
			m.any = true
		} else if tag != "" && !strings.HasPrefix(tag, "W/") {
			m.tags = append(m.tags, tag)
		}
		rest = after
	}
	return m, nil
}

// cutTag cuts the first element off a list; empty elements are allowed (RFC 9110, section 5.6.1).
func cutTag(list string) (tag, after string, ok bool) {
	list = strings.TrimLeft(list, " \t")
	switch {
	case list == "", list[0] == ',':
		tag, after = "", list
	case list[0] == '*':
		tag, after = "*", list[1:]
	default:
		opaque := strings.TrimPrefix(list, "W/")
		if !strings.HasPrefix(opaque, `"`) {
			return "", "", false
		}
		end := strings.IndexByte(opaque[1:], '"')
		if end < 0 {
			return "", "", false
		}
		n := len(list) - len(opaque) + end + 2
		tag, after = list[:n], list[n:]
	}
	after = strings.TrimLeft(after, " \t")
	if after == "" {
		return tag, "", true
	}
	if after[0] != ',' {
		return "", "", false
	}
	return tag, strings.TrimLeft(after[1:], " \t"), true
}

// matches reports whether the current entity tag is meant.
func (m ifMatch) matches(etag string) bool { return m.any || slices.Contains(m.tags, etag) }
