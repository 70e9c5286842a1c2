// Package client is what oapi-codegen makes of ingest/openapi.yaml, and a test of it.
package client

import (
	"os"
	"reflect"
	"regexp"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestEveryEnumIsKept: each value of each enum of a schema's property is a constant of the client.
func TestEveryEnumIsKept(t *testing.T) {
	raw, err := os.ReadFile(os.Getenv("OPENAPI"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct {
					Enum []string
				}
			}
		}
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	generated, err := os.ReadFile("client.go")
	if err != nil {
		t.Fatal(err)
	}
	kept := 0
	for name, schema := range doc.Components.Schemas {
		for property, p := range schema.Properties {
			for _, value := range p.Enum {
				if !regexp.MustCompile(`\w+\s+` + name + `\w+\s+= "` + value + `"`).Match(generated) {
					t.Errorf("%s.%s: no constant for %q", name, property, value)
				}
				kept++
			}
		}
	}
	if kept < 50 {
		t.Errorf("%d values of enums, the document has more", kept)
	}
}

func TestClientHasEveryCall(t *testing.T) {
	client := reflect.TypeFor[*ClientWithResponses]()
	for _, name := range []string{"CreateSessionWithResponse", "ReadSessionWithResponse", "ReadTimelineWithResponse", "ReadResultWithResponse", "DeleteSessionWithResponse"} {
		if _, ok := client.MethodByName(name); !ok {
			t.Errorf("the client has no %s", name)
		}
	}
}
