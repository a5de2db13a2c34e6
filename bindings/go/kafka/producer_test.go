package kafka_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	ottla "github.com/ottla-kafka/ottla/bindings/go"
	"github.com/ottla-kafka/ottla/bindings/go/internal/conformance"
	"github.com/ottla-kafka/ottla/bindings/go/kafka"
)

const produceAPI int16 = 0

// embedded makes a producer on a cluster whose topic t has three partitions.
func embedded(t *testing.T, settings kafka.ConfigMap) (*kafka.Producer, *ottla.MockCluster) {
	t.Helper()
	cluster, err := ottla.NewMockCluster(1)
	must(t, err)
	t.Cleanup(func() { must(t, cluster.Close()) })
	must(t, cluster.CreateTopic("t", 3, 1))
	all := kafka.ConfigMap{"bootstrap.servers": cluster.BootstrapServers(), "log_level": 3}
	for key, value := range settings {
		all[key] = value
	}
	return newProducer(t, all), cluster
}

func newProducer(t *testing.T, settings kafka.ConfigMap) *kafka.Producer {
	t.Helper()
	producer, err := kafka.NewProducer(&settings)
	must(t, err)
	t.Cleanup(producer.Close)
	return producer
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func to(topic string, partition int32) kafka.TopicPartition {
	return kafka.TopicPartition{Topic: &topic, Partition: partition}
}

// report waits for the next report in a channel.
func report(t *testing.T, events chan kafka.Event) *kafka.Message {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case event := <-events:
			if message, ok := event.(*kafka.Message); ok {
				return message
			}
		case <-limit:
			t.Fatal("no report")
		}
	}
}

func wantCode(t *testing.T, err error, code kafka.ErrorCode) kafka.Error {
	t.Helper()
	typed, ok := err.(kafka.Error)
	if !ok || typed.Code() != code {
		t.Fatalf("want %v, got %v", code, err)
	}
	return typed
}

func TestReportsBringMessagesBack(t *testing.T) {
	conformance.Shows(t, "C01", "C02", "C03", "C04")
	producer, cluster := embedded(t, kafka.ConfigMap{"go.delivery.report.fields": "all"})
	headers := []kafka.Header{{"null", nil}, {"empty", []byte{}}, {"text", []byte("x")}, {"text", []byte("y")}}
	opaque := &struct{ n int }{7}
	own := make(chan kafka.Event, 1)
	sent := &kafka.Message{TopicPartition: to("t", 1), Key: []byte("key"), Value: []byte("value"),
		Headers: headers, Opaque: opaque, Timestamp: time.UnixMilli(1234567890123)}
	must(t, producer.Produce(sent, own))
	got := report(t, own)
	if got == sent || *got.TopicPartition.Topic != "t" || got.TopicPartition.Partition != 1 ||
		got.TopicPartition.Offset != 0 || got.TopicPartition.Error != nil || string(got.Key) != "key" ||
		string(got.Value) != "value" || got.Opaque != opaque || !reflect.DeepEqual(got.Headers, headers) {
		t.Fatalf("%+v", got)
	}
	if got.String() != "t[1]@0" || got.TopicPartition.String() != "t[1]@0" {
		t.Fatal(got)
	}
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 1)}, nil))
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 1), Key: []byte{}, Value: []byte{}}, nil))
	null, empty := report(t, producer.Events()), report(t, producer.Events())
	if null.Key != nil || null.Value != nil || empty.Key == nil || empty.Value == nil {
		t.Fatalf("%+v %+v", null, empty)
	}
	stored, err := cluster.Records("t", 1)
	must(t, err)
	if len(stored) != 3 || !stored[0].Timestamp.Equal(sent.Timestamp) || len(stored[0].Headers) != 4 ||
		stored[1].Value != nil || stored[2].Value == nil {
		t.Fatalf("%+v", stored)
	}
}

func TestReportFields(t *testing.T) {
	for fields, want := range map[string][2]bool{"none": {}, "key": {true, false}, "value": {false, true},
		"key,value": {true, true}} {
		producer, _ := embedded(t, kafka.ConfigMap{"go.delivery.report.fields": fields})
		must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0), Key: []byte("k"), Value: []byte("v")}, nil))
		if got := report(t, producer.Events()); (got.Key != nil) != want[0] || (got.Value != nil) != want[1] {
			t.Fatalf("%s: %+v", fields, got)
		}
	}
	_, err := kafka.NewProducer(&kafka.ConfigMap{"go.delivery.report.fields": "key,colour"})
	wantCode(t, err, kafka.ErrInvalidArg)
}

// What a program does with its buffers after Produce is its own business.
func TestBuffersMayBeUsedAgain(t *testing.T) {
	producer, cluster := embedded(t, nil)
	buffer := make([]byte, 4)
	var want []string
	for n := range 1000 {
		copy(buffer, fmt.Sprintf("%04d", n))
		want = append(want, string(buffer))
		must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0), Value: buffer}, nil))
	}
	copy(buffer, "xxxx")
	for n := range 1000 {
		if got := report(t, producer.Events()); string(got.Value) != want[n] {
			t.Fatalf("report %d: %s", n, got.Value)
		}
	}
	stored, err := cluster.Records("t", 0)
	must(t, err)
	for n, record := range stored {
		if string(record.Value) != want[n] {
			t.Fatalf("record %d: %s", n, record.Value)
		}
	}
}

func TestNoReportsUnlessAsked(t *testing.T) {
	producer, _ := embedded(t, kafka.ConfigMap{"go.delivery.reports": false})
	own := make(chan kafka.Event, 1)
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, own))
	report(t, own)
	if left := producer.Flush(30_000); left != 0 || len(producer.Events()) != 0 {
		t.Fatal(left, len(producer.Events()))
	}
}

func TestRefusedAtOnce(t *testing.T) {
	producer, _ := embedded(t, kafka.ConfigMap{"message.max.bytes": 2000})
	empty := ""
	for _, message := range []*kafka.Message{nil, {}, {TopicPartition: kafka.TopicPartition{Topic: &empty}}} {
		wantCode(t, producer.Produce(message, nil), kafka.ErrInvalidArg)
	}
	large := &kafka.Message{TopicPartition: to("t", 0), Value: make([]byte, 2001)}
	wantCode(t, producer.Produce(large, nil), kafka.ErrMsgSizeTooLarge)
	wantCode(t, producer.Purge(64), kafka.ErrInvalidArg)
	if producer.Len() != 0 {
		t.Fatal(producer.Len())
	}
}

func TestRefusedByReport(t *testing.T) {
	conformance.Shows(t, "C14", "C16")
	producer, cluster := embedded(t, nil)
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 3)}, nil))
	got := report(t, producer.Events())
	wantCode(t, got.TopicPartition.Error, kafka.ErrUnknownPartition)
	if got.TopicPartition.Offset != kafka.OffsetInvalid || got.TopicPartition.Error != kafka.NewError(kafka.ErrUnknownPartition, "", false) ||
		got.TopicPartition.String() != "t[3]@unset(Local: Unknown partition)" {
		t.Fatal(got.TopicPartition)
	}
	must(t, cluster.PushPartitionErrors("t", 0, ottla.CodeMessageTooLarge))
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	wantCode(t, report(t, producer.Events()).TopicPartition.Error, kafka.ErrMsgSizeTooLarge)
}

func TestQueueFull(t *testing.T) {
	conformance.Shows(t, "C21")
	producer, cluster := embedded(t, kafka.ConfigMap{"queue.buffering.max.messages": 10})
	must(t, cluster.SetDelay(ottla.AllBrokers, produceAPI, 2*time.Second))
	for range 10 {
		must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	}
	full := producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil)
	if wantCode(t, full, kafka.ErrQueueFull); full.Error() != "Local: Queue full" {
		t.Fatal(full)
	}
	for range 10 {
		report(t, producer.Events())
	}
	must(t, cluster.ClearFaults())
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	report(t, producer.Events())
	if end, err := cluster.EndOffset("t", 0); err != nil || end != 11 {
		t.Fatal(end, err)
	}
}

// One delivery channel that nobody reads holds up neither the others nor Flush's end.
func TestAChannelThatNobodyReads(t *testing.T) {
	producer, _ := embedded(t, kafka.ConfigMap{"queue.buffering.max.messages": 100, "linger.ms": 1})
	stuck := make(chan kafka.Event)
	for range 60 {
		must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, stuck))
	}
	for range 200 {
		err := producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil)
		must(t, err)
		report(t, producer.Events())
	}
	if left := producer.Flush(200); left != 60 {
		t.Fatal(left)
	}
	// Reports that nobody takes count, so that they cannot fill the memory.
	filled := 0
	for ; filled < 100; filled++ {
		if producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, stuck) != nil {
			break
		}
	}
	if filled != 40 {
		t.Fatal(filled)
	}
	for range 100 {
		report(t, stuck)
	}
	if left := producer.Flush(30_000); left != 0 {
		t.Fatal(left)
	}
}

// Whoever has a report from a channel with room has the place of its record too, at once; and a report that waits takes one
// place, not two.
func TestAPlaceIsCountedOnce(t *testing.T) {
	const places, stuckMost = 1000, 20
	producer, _ := embedded(t, kafka.ConfigMap{"queue.buffering.max.messages": places, "linger.ms": 1})
	stuck := make(chan kafka.Event)
	for held := 1; held <= stuckMost; held++ {
		must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, stuck))
		for range places - held {
			must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
		}
		for range 100 {
			report(t, producer.Events())
			must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
		}
		for range places - held {
			report(t, producer.Events())
		}
	}
	for range stuckMost {
		report(t, stuck)
	}
	if left := producer.Flush(30_000); left != 0 {
		t.Fatal(left)
	}
}

func TestAChannelThatIsClosed(t *testing.T) {
	producer, _ := embedded(t, kafka.ConfigMap{"linger.ms": 1})
	closed := make(chan kafka.Event, 1)
	close(closed)
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, closed))
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	report(t, producer.Events())
	if left := producer.Flush(30_000); left != 0 {
		t.Fatal(left)
	}
}

func TestProduceChannel(t *testing.T) {
	producer, _ := embedded(t, kafka.ConfigMap{"queue.buffering.max.messages": 10, "linger.ms": 1})
	opaque := "mine"
	go func() {
		for n := range 100 {
			producer.ProduceChannel() <- &kafka.Message{TopicPartition: to("t", 0), Value: fmt.Append(nil, n), Opaque: &opaque}
		}
		producer.ProduceChannel() <- &kafka.Message{Value: []byte("no topic")}
	}()
	refused := 0 // at any time: its report does not wait for those of the others
	for n := 0; n < 100 || refused == 0; {
		got := report(t, producer.Events())
		if got.TopicPartition.Error != nil {
			wantCode(t, got.TopicPartition.Error, kafka.ErrInvalidArg)
			refused++
			continue
		}
		if got.Opaque != &opaque || string(got.Value) != fmt.Sprint(n) {
			t.Fatalf("%d: %+v", n, got)
		}
		n++
	}
	if refused != 1 {
		t.Fatal(refused)
	}
	producer.ProduceChannel() <- nil
	if event := <-producer.Events(); event.(kafka.Error).Code() != kafka.ErrInvalidArg {
		t.Fatal(event)
	}
}

func TestAfterClose(t *testing.T) {
	conformance.Shows(t, "C31", "C33")
	producer, _ := embedded(t, nil)
	for range 100 {
		must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	}
	producer.Close()
	producer.Close()
	closed := kafka.NewError(kafka.ErrState, "Operation not allowed on closed client", false)
	_, _, watermarks := producer.QueryWatermarkOffsets("t", 0, 1)
	_, times := producer.OffsetsForTimes(nil, 1)
	_, metadata := producer.GetMetadata(nil, true, 1)
	for n, err := range []error{
		producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil), producer.Purge(kafka.PurgeQueue),
		producer.GetFatalError(), producer.SetSaslCredentials("a", "b"), producer.SetOAuthBearerTokenFailure("x"),
		producer.SetOAuthBearerToken(kafka.OAuthBearerToken{}), watermarks, times, metadata,
	} {
		if err != closed {
			t.Errorf("%d: %v", n, err)
		}
	}
	if !producer.IsClosed() || producer.Flush(100) != 0 {
		t.Fatal("not closed")
	}
	for range producer.Events() {
	}
}

func TestPurge(t *testing.T) {
	conformance.Shows(t, "C24")
	producer := newProducer(t, kafka.ConfigMap{"bootstrap.servers": "127.0.0.1:1", "log_level": 2})
	own := make(chan kafka.Event)
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, own))
	must(t, producer.Purge(kafka.PurgeInFlight|kafka.PurgeQueue|kafka.PurgeNonBlocking))
	wantCode(t, report(t, own).TopicPartition.Error, kafka.ErrPurgeQueue)
}

func TestMessagesTimeOut(t *testing.T) {
	conformance.Shows(t, "C17")
	producer := newProducer(t, kafka.ConfigMap{"bootstrap.servers": "127.0.0.1:1", "log_level": 2,
		"default.topic.config": kafka.ConfigMap{"message.timeout.ms": 50}})
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	failure := wantCode(t, report(t, producer.Events()).TopicPartition.Error, kafka.ErrMsgTimedOut)
	if !failure.IsTimeout() || failure.Error() != "Local: Message timed out" {
		t.Fatal(failure)
	}
}

func TestFatalErrors(t *testing.T) {
	producer, cluster := embedded(t, nil)
	must(t, producer.GetFatalError())
	must(t, cluster.SetDelay(ottla.AllBrokers, produceAPI, time.Minute))
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	if code := producer.TestFatalError(kafka.ErrOutOfOrderSequenceNumber, "made up"); code != kafka.ErrNoError {
		t.Fatal(code)
	}
	if code := producer.TestFatalError(kafka.ErrOutOfOrderSequenceNumber, "again"); code != kafka.ErrPrevInProgress {
		t.Fatal(code)
	}
	fatal := wantCode(t, producer.GetFatalError(), kafka.ErrOutOfOrderSequenceNumber)
	if !fatal.IsFatal() || fatal.String() != "Fatal error: made up" {
		t.Fatal(fatal)
	}
	wantCode(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil), kafka.ErrFatal)
	events := map[string]bool{}
	for range 2 {
		switch event := (<-producer.Events()).(type) {
		case kafka.Error:
			events["error"] = event == fatal
		case *kafka.Message:
			events["report"] = event.TopicPartition.Error != nil
		}
	}
	if !events["error"] || !events["report"] {
		t.Fatal(events)
	}
}

func TestManyMessagesFromManyGoroutines(t *testing.T) {
	conformance.Shows(t, "C50")
	const goroutines, each = 8, 12_500
	producer, cluster := embedded(t, nil)
	var group sync.WaitGroup
	for g := range goroutines {
		group.Add(1)
		go func() {
			defer group.Done()
			own := make(chan kafka.Event, 100)
			go func() {
				for n := range each {
					message := &kafka.Message{TopicPartition: to("t", int32(g%3)), Value: fmt.Appendf(nil, "%d %d", g, n)}
					for errors.Is(producer.Produce(message, own), kafka.NewError(kafka.ErrQueueFull, "", false)) {
						time.Sleep(time.Millisecond)
					}
				}
			}()
			for n := range each {
				if got := report(t, own); got.TopicPartition.Error != nil || string(got.Value) != fmt.Sprintf("%d %d", g, n) {
					t.Errorf("%d %d: %v %s", g, n, got, got.Value)
					return
				}
			}
		}()
	}
	group.Wait()
	next := map[string]int{}
	for partition := range int32(3) {
		stored, err := cluster.Records("t", partition)
		must(t, err)
		for _, record := range stored {
			who, number, _ := strings.Cut(string(record.Value), " ")
			if number != fmt.Sprint(next[who]) {
				t.Fatalf("%s of %s, after %d", number, who, next[who])
			}
			next[who]++
		}
	}
	if left := producer.Flush(30_000); left != 0 || len(next) != goroutines {
		t.Fatal(left, next)
	}
}

func TestLogs(t *testing.T) {
	logs := make(chan kafka.LogEvent, 100)
	producer := newProducer(t, kafka.ConfigMap{"bootstrap.servers": "127.0.0.1:1", "client.id": "me",
		"go.logs.channel.enable": true, "go.logs.channel": logs})
	if producer.Logs() != logs || !strings.HasPrefix(producer.String(), "me#producer-") {
		t.Fatal(producer)
	}
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	select {
	case line := <-logs:
		if line.Name != producer.String() || line.Message == "" || line.Level > 7 {
			t.Fatal(line)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no line")
	}
}

func TestErrorsOfBrokersAreEvents(t *testing.T) {
	producer := newProducer(t, kafka.ConfigMap{"bootstrap.servers": "127.0.0.1:1", "log_level": 2})
	must(t, producer.Produce(&kafka.Message{TopicPartition: to("t", 0)}, nil))
	select {
	case event := <-producer.Events():
		if failure, ok := event.(kafka.Error); !ok || failure.Code() != kafka.ErrTransport || failure.IsFatal() {
			t.Fatal(event)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("no event")
	}
}

func TestMetadata(t *testing.T) {
	conformance.Shows(t, "C63")
	producer, _ := embedded(t, nil)
	topic, missing := "t", "missing"
	metadata, err := producer.GetMetadata(&topic, false, 30_000)
	must(t, err)
	found := metadata.Topics["t"]
	if len(metadata.Brokers) != 1 || metadata.Brokers[0].ID != 1 || metadata.Brokers[0].Port == 0 ||
		len(found.Partitions) != 3 || found.Partitions[2].ID != 2 || found.Partitions[2].Leader != 1 ||
		len(found.Partitions[2].Isrs) != 1 || found.Error.Code() != kafka.ErrNoError {
		t.Fatalf("%+v", metadata)
	}
	all, err := producer.GetMetadata(nil, true, 30_000)
	must(t, err)
	if _, there := all.Topics["t"]; !there || len(all.Topics) != 1 {
		t.Fatalf("%+v", all)
	}
	other, err := producer.GetMetadata(&missing, false, 30_000)
	must(t, err)
	if other.Topics["missing"].Error.Code() != kafka.ErrUnknownTopicOrPart {
		t.Fatalf("%+v", other)
	}
	nowhere := newProducer(t, kafka.ConfigMap{"bootstrap.servers": "127.0.0.1:1", "log_level": 2})
	begun := time.Now()
	if _, err := nowhere.GetMetadata(&topic, false, 300); err == nil || time.Since(begun) > 30*time.Second {
		t.Fatal(err, time.Since(begun))
	}
}
