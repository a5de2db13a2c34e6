// Package conformance tells which cases of bindings/conformance.md the tests of the module have shown. Only tests use it.
package conformance

import (
	"os"
	"strings"
	"testing"
)

// Shows says which cases a test shows; they are told when it has passed: added to the file that OTTLA_CONFORMANCE names, for
// bindings/conformance.py.
func Shows(t *testing.T, cases ...string) {
	t.Helper()
	path := os.Getenv("OTTLA_CONFORMANCE")
	if path == "" {
		return
	}
	t.Cleanup(func() {
		if t.Failed() || t.Skipped() {
			return
		}
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteString(strings.Join(cases, " ") + "\n"); err != nil {
			t.Fatal(err)
		}
	})
}
