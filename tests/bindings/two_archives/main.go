// Command two_archives links ottla and another Rust archive (CGO_LDFLAGS says where it is) and uses both.
package main

/*
#cgo LDFLAGS: -lother
#include <stddef.h>
#include <stdlib.h>
size_t other_words(const char *text);
*/
import "C"

import (
	"context"
	"fmt"
	"os"
	"time"
	"unsafe"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

func main() {
	text := C.CString("two archives in one program")
	defer C.free(unsafe.Pointer(text))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	producer, err := ottla.NewProducer(map[string]string{"test.mock.num.brokers": "1"})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	err = producer.ProduceSync(ctx, "t", ottla.Record{Value: []byte("v")}).FirstErr()
	fmt.Println(C.other_words(text), err, producer.Close(ctx))
}
