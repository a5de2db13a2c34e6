// Package linux_amd64 holds the static library for linux/amd64, libottla.a, which bindings/go/build puts here. It is a
// package so that `go mod vendor` takes the library along.
package linux_amd64

// #cgo LDFLAGS: ${SRCDIR}/libottla.a -lm -ldl -lpthread
// #include "stamp.h"
import "C"
