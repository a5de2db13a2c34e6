package kafka

import "github.com/ottla-kafka/ottla/bindings/go/internal/native"

// LibrdkafkaLinkInfo says what the program is linked to.
const LibrdkafkaLinkInfo = "linked to libottla, which stands in for librdkafka"

// compatibleVersion is the librdkafka whose producer this package behaves like.
const (
	compatibleVersion = 0x020f00ff
	compatibleText    = "2.15.0"
)

// LibraryVersion gives the version of librdkafka that this package stands in for, so that programs that ask for a
// least version go on working; the text also names ottla's own.
func LibraryVersion() (int, string) {
	own, _ := native.Version()
	return compatibleVersion, compatibleText + " (ottla " + own + ")"
}
