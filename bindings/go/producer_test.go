package ottla

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/conformance"
)

const produceAPI int16 = 0

func within(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

// embedded makes a producer with its own cluster; settings come as name, value, name, value.
func embedded(t *testing.T, settings ...string) (*Producer, *MockCluster) {
	t.Helper()
	all := map[string]string{"test.mock.num.brokers": "1", "linger.ms": "2"}
	for i := 0; i < len(settings); i += 2 {
		all[settings[i]] = settings[i+1]
	}
	producer := newProducer(t, all)
	cluster, err := producer.MockCluster()
	if err != nil {
		t.Fatal(err)
	}
	return producer, cluster
}

func newProducer(t *testing.T, settings map[string]string) *Producer {
	t.Helper()
	producer, err := NewProducer(settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = producer.Close(within(t, 30*time.Second)) })
	return producer
}

func newCluster(t *testing.T, brokers int) *MockCluster {
	t.Helper()
	cluster, err := NewMockCluster(brokers)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, cluster.Close()) })
	return cluster
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code Code) *Error {
	t.Helper()
	var typed *Error
	if !errors.As(err, &typed) || typed.Code != code {
		t.Fatalf("want %v, got %v", code, err)
	}
	return typed
}

// deliver sends one record and waits for its report.
func deliver(t *testing.T, producer *Producer, topic string, record Record) (Report, error) {
	t.Helper()
	ctx := within(t, 30*time.Second)
	future, err := producer.Produce(ctx, topic, record)
	must(t, err)
	return future.Wait(ctx)
}

func records(t *testing.T, cluster *MockCluster, topic string, partition int32) []StoredRecord {
	t.Helper()
	stored, err := cluster.Records(topic, partition)
	must(t, err)
	return stored
}

func TestEcho(t *testing.T) {
	conformance.Shows(t, "C01", "C02", "C03", "C04")
	producer, cluster := embedded(t)
	when := time.UnixMilli(1234567890123)
	cases := []Record{
		{Key: []byte("key"), Value: []byte("value")},
		{},
		{Key: []byte{}, Value: []byte{}},
		{Key: []byte("k")},
		{Value: []byte("v"), Timestamp: when},
		{Headers: []Header{{"a", []byte("1")}, {"b", nil}, {"a", []byte{}}, {"", []byte("\x00\xff")}, {"ü", []byte("ö")}}},
		{Headers: []Header{{"", nil}}},
		{Headers: []Header{{"", []byte{}}}},
	}
	var many []Header
	for n := range 40 {
		many = append(many, Header{fmt.Sprint(n), bytes.Repeat([]byte("x"), n)})
	}
	cases = append(cases, Record{Headers: many})
	for n, record := range cases {
		record.Partition = To(3)
		report, err := deliver(t, producer, "t", record)
		must(t, err)
		if report.Topic != "t" || report.Partition != 3 || report.Offset != int64(n) || report.Persistence != Persisted {
			t.Fatalf("record %d: %+v", n, report)
		}
	}
	stored := records(t, cluster, "t", 3)
	if len(stored) != len(cases) {
		t.Fatalf("%d records stored", len(stored))
	}
	for n, want := range cases {
		got := stored[n]
		same := got.Offset == int64(n) && sameBytes(got.Key, want.Key) && sameBytes(got.Value, want.Value)
		if !same || len(got.Headers) != len(want.Headers) {
			t.Fatalf("record %d: %+v, not %+v", n, got, want)
		}
		for i, header := range want.Headers {
			if got.Headers[i].Key != header.Key || !sameBytes(got.Headers[i].Value, header.Value) {
				t.Fatalf("record %d, header %d: %+v, not %+v", n, i, got.Headers[i], header)
			}
		}
	}
	if !stored[4].Timestamp.Equal(when) {
		t.Fatal(stored[4].Timestamp)
	}
	if age := time.Since(stored[0].Timestamp); age < -time.Second || age > time.Minute {
		t.Fatal(age)
	}
}

func sameBytes(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }

func TestBytesInsideObjectsWithPointers(t *testing.T) {
	producer, cluster := embedded(t)
	object := &struct {
		data [8]byte
		next *int
	}{next: new(int)}
	copy(object.data[:], "embedded")
	_, err := deliver(t, producer, "t", Record{Value: object.data[:], Key: object.data[:2], Partition: To(0)})
	must(t, err)
	if stored := records(t, cluster, "t", 0); string(stored[0].Value) != "embedded" || string(stored[0].Key) != "em" {
		t.Fatal(stored)
	}
}

func TestRecordTimesInReports(t *testing.T) {
	conformance.Shows(t, "C04")
	producer, _ := embedded(t, "report.timestamps", "true")
	when := time.UnixMilli(1234567890123)
	report, err := deliver(t, producer, "t", Record{Timestamp: when})
	must(t, err)
	if !report.Timestamp.Equal(when) {
		t.Fatal(report)
	}
}

func TestRefusals(t *testing.T) {
	conformance.Shows(t, "C13", "C14")
	_, err := NewProducer(map[string]string{"bootsrap.servers": "x"})
	if e := wantCode(t, err, CodeConfig); !strings.Contains(e.Message, "did you mean `bootstrap.servers`") {
		t.Fatal(e)
	}
	_, err = NewProducer(nil)
	wantCode(t, err, CodeConfig)
	_, err = NewMockCluster(0)
	wantCode(t, err, CodeArgument)

	producer, cluster := embedded(t)
	must(t, cluster.CreateTopic("two", 2, 1))
	_, err = deliver(t, producer, "two", Record{})
	must(t, err)
	ctx := within(t, 30*time.Second)
	for _, refused := range []struct {
		topic  string
		record Record
		code   Code
		text   string
	}{
		{"two", Record{Partition: To(2)}, CodeUnknownPartition, "0 to 1, not 2"},
		{"two", Record{Partition: To(2), Value: make([]byte, 20_000)}, CodeUnknownPartition, "0 to 1, not 2"},
		{"two", Record{Value: make([]byte, 2_000_000)}, CodeRecordTooLarge, "2000"},
		{"no/topic", Record{}, CodeArgument, `"no/topic"`},
		{"two", Record{Headers: []Header{{"\xff", nil}}}, CodeArgument, "not UTF-8"},
	} {
		future, err := producer.Produce(ctx, refused.topic, refused.record)
		if err == nil {
			var report Report
			report, err = future.Wait(ctx)
			if report.Topic != refused.topic || report.Offset != -1 || report.Persistence != NotPersisted {
				t.Fatal(report)
			}
		}
		if e := wantCode(t, err, refused.code); e.Retriable() || e.Fatal() || e.Abortable() || !strings.Contains(e.Message, refused.text) {
			t.Error(e)
		}
	}
	must(t, producer.Flush(ctx))
	if producer.Len() != 0 {
		t.Fatal(producer.Len())
	}
	if !(&Error{Code: CodeNotLeaderOrFollower}).Retriable() || CodeNotLeaderOrFollower.String() != "NOT_LEADER_OR_FOLLOWER" {
		t.Fatal("flags or names")
	}
}

// Records that cross into the library together: each refusal has its own text, and the others are sent in their order.
func TestRefusalsAmongOthers(t *testing.T) {
	producer, cluster := embedded(t)
	must(t, cluster.CreateTopic("t", 1, 1))
	ctx := within(t, 30*time.Second)
	var futures []*Future
	for n := range 3000 {
		partition := 0
		if n%3 == 1 {
			partition = n
		}
		future, err := producer.Produce(ctx, "t", Record{Partition: To(int32(partition))})
		must(t, err)
		futures = append(futures, future)
	}
	stored := int64(0)
	for n, future := range futures {
		report, err := future.Wait(ctx)
		if n%3 == 1 {
			if e := wantCode(t, err, CodeUnknownPartition); !strings.Contains(e.Message, fmt.Sprintf("not %d", n)) {
				t.Fatal(n, e)
			}
			continue
		}
		if must(t, err); report.Offset != stored {
			t.Fatal(n, report)
		}
		stored++
	}
}

func TestManyRecordsFromManyGoroutines(t *testing.T) {
	conformance.Shows(t, "C50", "C27")
	const goroutines, each = 8, 12_500
	producer, cluster := embedded(t, "buffer.memory", "4194304")
	must(t, cluster.CreateTopic("t", 3, 1))
	ctx := within(t, 2*time.Minute)
	var acknowledged, failed atomic.Int64
	var sending sync.WaitGroup
	for g := range goroutines {
		sending.Add(1)
		go func() {
			defer sending.Done()
			futures := make([]*Future, 0, each)
			for n := range each {
				future, err := producer.Produce(ctx, "t", Record{Value: fmt.Appendf(nil, "%d %d", g, n)})
				if err != nil {
					t.Error(err)
					return
				}
				futures = append(futures, future)
			}
			if err := producer.Flush(ctx); err != nil {
				t.Error(err)
			}
			for _, future := range futures {
				select {
				case <-future.Done():
				default:
					t.Error("a flush did not wait for a report")
					return
				}
				if _, err := future.Wait(ctx); err != nil {
					failed.Add(1)
				} else {
					acknowledged.Add(1)
				}
			}
		}()
	}
	sending.Wait()
	if acknowledged.Load() != goroutines*each || failed.Load() != 0 || producer.Len() != 0 {
		t.Fatal(acknowledged.Load(), failed.Load(), producer.Len())
	}
	var got, want []string
	for partition := range int32(3) {
		for _, record := range records(t, cluster, "t", partition) {
			got = append(got, string(record.Value))
		}
	}
	for g := range goroutines {
		for n := range each {
			want = append(want, fmt.Sprintf("%d %d", g, n))
		}
	}
	sort.Strings(got)
	sort.Strings(want)
	if strings.Join(got, ",") != strings.Join(want, ",") {
		t.Fatalf("%d records stored, %d sent", len(got), len(want))
	}
}

func TestFullMemory(t *testing.T) {
	conformance.Shows(t, "C20")
	producer, cluster := embedded(t, "buffer.memory", "400000")
	must(t, cluster.SetDelay(AllBrokers, produceAPI, 2*time.Second))
	var err error
	sent := 0
	for ; err == nil; sent++ {
		err = producer.TryProduce("t", Record{Value: make([]byte, 20_000)}, nil)
	}
	wantCode(t, err, CodeQueueFull)
	_, err = producer.Produce(within(t, 100*time.Millisecond), "t", Record{Value: make([]byte, 20_000)})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	must(t, cluster.ClearFaults())
	ctx := within(t, 60*time.Second)
	for range 100 {
		_, err := producer.Produce(ctx, "t", Record{Value: make([]byte, 20_000)})
		must(t, err)
	}
	must(t, producer.Flush(ctx))
	total := int64(0)
	for partition := range int32(4) {
		end, err := cluster.EndOffset("t", partition)
		must(t, err)
		total += end
	}
	if total != int64(sent-1+100) {
		t.Fatal(total, sent)
	}
}

func TestPromisesMaySend(t *testing.T) {
	conformance.Shows(t, "C41")
	producer, cluster := embedded(t)
	done := make(chan error, 1)
	var again func(int) func(Report)
	again = func(left int) func(Report) {
		return func(report Report) {
			if report.Err != nil || left == 0 {
				done <- report.Err
			} else if err := producer.TryProduce("t", Record{Partition: To(0)}, again(left-1)); err != nil {
				done <- err
			}
		}
	}
	must(t, producer.TryProduce("t", Record{Partition: To(0)}, again(5)))
	must(t, <-done)
	if end, err := cluster.EndOffset("t", 0); err != nil || end != 6 {
		t.Fatal(end, err)
	}
}

func TestContexts(t *testing.T) {
	conformance.Shows(t, "C22", "C32")
	producer, cluster := embedded(t)
	_, err := deliver(t, producer, "t", Record{})
	must(t, err)
	must(t, cluster.SetDelay(AllBrokers, produceAPI, time.Minute))
	future, err := producer.Produce(context.Background(), "t", Record{})
	must(t, err)
	if _, err = future.Wait(within(t, 50*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err = producer.Flush(canceled); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	begun := time.Now()
	if err = producer.Close(within(t, 100*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if taken := time.Since(begun); taken > 30*time.Second {
		t.Fatal(taken)
	}
	// What close had to fail has its report, too.
	if _, err = future.Wait(within(t, 30*time.Second)); err == nil {
		t.Fatal("no error")
	}
	wantCode(t, err, CodeAborted)
}

func TestCloseWaitsAndTwiceIsOnce(t *testing.T) {
	conformance.Shows(t, "C30", "C31", "C33")
	producer, cluster := embedded(t, "linger.ms", "20000")
	future, err := producer.Produce(context.Background(), "t", Record{})
	must(t, err)
	begun := time.Now()
	must(t, producer.Close(context.Background()))
	if taken := time.Since(begun); taken > 15*time.Second {
		t.Fatal(taken)
	}
	select {
	case <-future.Done():
	default:
		t.Fatal("close did not wait for the report")
	}
	must(t, producer.Close(context.Background()))
	ctx := context.Background()
	_, err = producer.Produce(ctx, "t", Record{})
	wantCode(t, err, CodeClosed)
	wantCode(t, producer.TryProduce("new", Record{}, nil), CodeClosed)
	wantCode(t, producer.Flush(ctx), CodeClosed)
	_, err = producer.MockCluster()
	wantCode(t, err, CodeClosed)
	wantCode(t, cluster.ClearFaults(), CodeClosed)
	if cluster.BootstrapServers() != "" {
		t.Fatal("an address of nothing")
	}
	must(t, cluster.Close())
}

func TestCloseWhileOthersSend(t *testing.T) {
	conformance.Shows(t, "C36")
	producer, _ := embedded(t, "buffer.memory", "400000")
	var sending sync.WaitGroup
	for range 4 {
		sending.Add(1)
		go func() {
			defer sending.Done()
			for {
				future, err := producer.Produce(context.Background(), "t", Record{Value: make([]byte, 10_000)})
				if err != nil {
					if !errors.Is(err, &Error{Code: CodeClosed}) {
						t.Error(err)
					}
					return
				}
				_ = future
			}
		}()
	}
	time.Sleep(200 * time.Millisecond)
	must(t, producer.Close(within(t, time.Minute)))
	sending.Wait()
	if producer.Len() != 0 {
		t.Fatal(producer.Len())
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	cluster := newCluster(t, 1)
	settings := map[string]string{"bootstrap.servers": cluster.BootstrapServers(), "acks": "1"}
	files := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here")
		}
		return len(entries)
	}
	once := func() {
		producer, err := NewProducer(settings)
		must(t, err)
		_, err = deliver(t, producer, "t", Record{})
		must(t, err)
		must(t, producer.Close(within(t, 30*time.Second)))
	}
	once()
	goroutines, descriptors := runtime.NumGoroutine(), files()
	for range 20 {
		once()
	}
	// The cluster notices the end of connections a moment later.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if runtime.NumGoroutine() <= goroutines && files() <= descriptors+1 {
			return
		}
	}
	t.Fatalf("%d goroutines, were %d; %d files, were %d", runtime.NumGoroutine(), goroutines, files(), descriptors)
}

func TestMemoryDoesNotGrow(t *testing.T) {
	conformance.Shows(t, "C71")
	cluster := newCluster(t, 1)
	producer := newProducer(t, map[string]string{"bootstrap.servers": cluster.BootstrapServers(), "acks": "1"})
	refusals := make([]Code, 100_000)
	for i := range refusals {
		refusals[i] = CodeInvalidRequiredAcks // so that the cluster's log does not grow
	}
	must(t, cluster.PushErrors(produceAPI, refusals...))
	ctx := within(t, time.Minute)
	send := func(count int) {
		for n := range count {
			record := Record{Value: make([]byte, 100), Headers: []Header{{"a", []byte("b")}}}
			_, err := producer.Produce(ctx, "t", record)
			must(t, err)
			if n%500 == 0 {
				must(t, producer.Flush(ctx))
			}
		}
		must(t, producer.Flush(ctx))
	}
	send(10_000)
	before := residentKiB(t)
	send(40_000)
	if grown := residentKiB(t) - before; grown > 16*1024 {
		t.Fatalf("%d KiB more", grown)
	}
}

func residentKiB(t *testing.T) int {
	t.Helper()
	runtime.GC()
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skip("no /proc here")
	}
	var size, resident int
	if _, err := fmt.Sscan(string(data), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize() / 1024
}
