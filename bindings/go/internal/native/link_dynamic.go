//go:build ottla_dynamic

package native

// The shared library, wherever the linker finds it; CGO_LDFLAGS=-L... says where else to look.

// #cgo LDFLAGS: -lottla
import "C"
