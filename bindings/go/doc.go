// Package ottla sends records to a Kafka cluster.
//
// It is a thin cgo layer over libottla, which does the work in one thread of its own:
//
//	producer, err := ottla.NewProducer(map[string]string{"bootstrap.servers": "localhost:9092"})
//	if err != nil {
//		return err
//	}
//	defer producer.Close(ctx)
//	future, err := producer.Produce(ctx, "greetings", ottla.Record{Value: []byte("hello")})
//	if err != nil {
//		return err
//	}
//	report, err := future.Wait(ctx)
//
// No goroutine waits inside C: calls into the library return at once, and one goroutine per producer waits in
// Go's own poller for reports. The library keeps no Go pointer; the bytes of a record are copied before the
// call returns.
//
// # Building
//
// The header is taken from the repository's include directory. Say where the library is, unless it is
// installed where the linker looks:
//
//	CGO_LDFLAGS="-L/path/to/lib -Wl,-rpath,/path/to/lib" go build
package ottla
