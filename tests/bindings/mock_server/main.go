// Command mock_server runs an embedded cluster with the topic greetings of three partitions, prints its address, and ends
// when its standard input does.
package main

import (
	"fmt"
	"io"
	"os"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
)

func main() {
	cluster, err := ottla.NewMockCluster(1)
	if err == nil {
		err = cluster.CreateTopic("greetings", 3, 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(cluster.BootstrapServers())
	_, _ = io.Copy(io.Discard, os.Stdin)
}
