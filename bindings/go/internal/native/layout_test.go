package native

import "testing"

// Field by field: the header's text (from which Python's structs come, too), the C compiler and cgo agree. That Rust
// agrees is asserted when the library is compiled (src/capi/layout.rs).
func TestLayout(t *testing.T) {
	places := Layout()
	if len(places) < 50 {
		t.Fatal(len(places))
	}
	for _, place := range places {
		if place.Header != place.C || place.C != place.Go {
			t.Errorf("%+v", place)
		}
	}
}
