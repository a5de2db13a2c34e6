package ottla

// The cases of bindings/conformance.md that the other tests of this module do not show; each says its number. Which of them
// cannot apply to Go stands there.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go/internal/conformance"
)

// The same key has the same partition, and an explicit partition wins.
func TestC05Keys(t *testing.T) {
	conformance.Shows(t, "C05")
	cluster := newCluster(t, 1)
	must(t, cluster.CreateTopic("t", 16, 1))
	settings := map[string]string{"bootstrap.servers": cluster.BootstrapServers()}
	first, second := newProducer(t, settings), newProducer(t, settings)
	for n := range 20 {
		key := fmt.Append(nil, n)
		a, err := deliver(t, first, "t", Record{Key: key})
		must(t, err)
		b, err := deliver(t, second, "t", Record{Key: key})
		must(t, err)
		c, err := deliver(t, second, "t", Record{Key: key, Partition: To(5)})
		must(t, err)
		if a.Partition != b.Partition || c.Partition != 5 {
			t.Fatal(a, b, c)
		}
	}
}

// What many calls in a row send to one partition is stored in their order, whether they cross one by one or together.
func TestC06Order(t *testing.T) {
	conformance.Shows(t, "C06")
	producer, cluster := embedded(t)
	must(t, cluster.CreateTopic("one", 1, 1))
	records := make([]Record, 5000)
	for n := range records {
		records[n].Value = fmt.Append(nil, n)
		if n%1000 == 500 {
			records[n].Value = append(bytes.Repeat([]byte("x"), 40_000), records[n].Value...) // not staged
		}
	}
	reports := producer.ProduceSync(within(t, time.Minute), "one", records...)
	must(t, reports.FirstErr())
	stored, err := cluster.Records("one", 0)
	must(t, err)
	for n := range records {
		if reports[n].Offset != int64(n) || !bytes.Equal(stored[n].Value, records[n].Value) {
			t.Fatal(n, reports[n])
		}
	}
}

// What cannot be sent is refused by itself.
func TestC07RefusedAmongOthers(t *testing.T) {
	conformance.Shows(t, "C07")
	producer, cluster := embedded(t)
	must(t, cluster.CreateTopic("one", 1, 1))
	_, err := deliver(t, producer, "one", Record{})
	must(t, err)
	records := make([]Record, 300)
	for n := range records {
		records[n] = Record{Value: fmt.Append(nil, n)}
		switch n % 10 {
		case 3:
			records[n].Partition = To(9)
		case 7:
			records[n].Headers = []Header{{"\xff", nil}}
		}
	}
	next := int64(1)
	for n, report := range producer.ProduceSync(within(t, time.Minute), "one", records...) {
		switch n % 10 {
		case 3:
			wantCode(t, report.Err, CodeUnknownPartition)
		case 7:
			wantCode(t, report.Err, CodeArgument)
		default:
			if report.Err != nil || report.Offset != next {
				t.Fatal(n, report)
			}
			next++
		}
	}
}

// The largest record, and one byte more.
func TestC08Largest(t *testing.T) {
	conformance.Shows(t, "C08")
	producer, _ := embedded(t, "max.request.size", "20000")
	low, high := 19_000, 20_100 // stored, refused
	for high-low > 1 {
		size := (low + high) / 2
		if _, err := deliver(t, producer, "t", Record{Value: make([]byte, size), Partition: To(0)}); err == nil {
			low = size
		} else {
			wantCode(t, err, CodeRecordTooLarge)
			high = size
		}
	}
	if low < 19_500 || low > 20_000 {
		t.Fatal(low)
	}
}

// Settings and names that are refused.
func TestC10Refusals(t *testing.T) {
	conformance.Shows(t, "C10", "C11", "C12", "C13")
	for _, refused := range []struct {
		name, value, text string
		code              Code
	}{
		{"linger.m", "1", "`linger.ms`", CodeConfig},
		{"acks", "2", "acks", CodeConfig},
		{"security.protocol", "ssl", "security.protocol", CodeUnsupported},
	} {
		_, err := NewProducer(map[string]string{"test.mock.num.brokers": "1", refused.name: refused.value})
		if e := wantCode(t, err, refused.code); !strings.Contains(e.Message, refused.text) {
			t.Error(e)
		}
	}
	producer, _ := embedded(t)
	wantCode(t, producer.TryProduce("no topic", Record{}, nil), CodeArgument)
}

// Nobody listens.
func TestC18Nobody(t *testing.T) {
	conformance.Shows(t, "C18")
	producer := newProducer(t, map[string]string{"bootstrap.servers": "127.0.0.1:1"})
	begun := time.Now()
	err := producer.Ping(within(t, 2*time.Second))
	if !errors.Is(err, context.DeadlineExceeded) {
		wantCode(t, err, CodeTransport)
	}
	if taken := time.Since(begun); taken > 10*time.Second {
		t.Fatal(taken)
	}
	served, _ := embedded(t)
	must(t, served.Ping(within(t, 30*time.Second)))
}

// Every code has a name, a text and the library's flags.
func TestC19Codes(t *testing.T) {
	conformance.Shows(t, "C19")
	for code := Code(-126); code <= 133; code++ {
		if code < -1 && code > -101 {
			continue
		}
		failure := refusal(int32(code)).(*Error)
		if code.String() == "UNKNOWN" || failure.Message == "" {
			t.Errorf("%d: %q %q", code, code, failure.Message)
		}
	}
	if !(&Error{Code: CodeProducerFenced}).Fatal() || (&Error{Code: CodeNone}).Retriable() {
		t.Error("flags")
	}
}

// Places in the queue.
func TestC21Places(t *testing.T) {
	conformance.Shows(t, "C21")
	producer, cluster := embedded(t, "queue.buffering.max.messages", "3")
	_, err := deliver(t, producer, "t", Record{})
	must(t, err)
	must(t, producer.Flush(within(t, time.Minute)))
	must(t, cluster.SetDelay(AllBrokers, produceAPI, 2*time.Second))
	for range 3 {
		must(t, producer.TryProduce("t", Record{}, nil))
	}
	wantCode(t, producer.TryProduce("t", Record{}, nil), CodeQueueFull)
	_, err = producer.Produce(within(t, 20*time.Millisecond), "t", Record{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	_, err = producer.Produce(within(t, 30*time.Second), "t", Record{})
	must(t, err)
}

// What lingers for a minute does not keep its room from who waits, nor Flush.
func TestC23NobodyWaitsForTheLinger(t *testing.T) {
	conformance.Shows(t, "C20", "C23")
	producer, _ := embedded(t, "linger.ms", "60000", "buffer.memory", "400000", "delivery.timeout.ms", "120000")
	ctx := within(t, 30*time.Second)
	for range 100 {
		must(t, producer.ProduceFunc(ctx, "t", Record{Value: make([]byte, 10_000)}, nil))
	}
	must(t, producer.Flush(ctx))
	if producer.Len() != 0 {
		t.Fatal(producer.Len())
	}
}

// Purge.
func TestC24Purge(t *testing.T) {
	conformance.Shows(t, "C24", "C25")
	producer, cluster := embedded(t, "linger.ms", "0", "max.in.flight.requests.per.connection", "1")
	_, err := deliver(t, producer, "t", Record{Partition: To(0)})
	must(t, err)
	must(t, cluster.SetDelay(AllBrokers, produceAPI, time.Minute))
	ctx := within(t, 30*time.Second)
	sent, err := producer.Produce(ctx, "t", Record{Partition: To(0)})
	must(t, err)
	for count := uint64(0); count < 2; {
		count, err = cluster.RequestCount(AllBrokers, produceAPI)
		must(t, err)
		time.Sleep(time.Millisecond)
	}
	queued, err := producer.Produce(ctx, "t", Record{Partition: To(0)})
	must(t, err)
	must(t, producer.Purge(true))
	report, err := sent.Wait(ctx)
	wantCode(t, err, CodePurgedInFlight)
	if report.Persistence != PossiblyPersisted {
		t.Fatal(report)
	}
	report, err = queued.Wait(ctx)
	wantCode(t, err, CodePurgedQueue)
	if report.Persistence != NotPersisted {
		t.Fatal(report)
	}
}

// Limits while the broker does not answer.
func TestC22Limits(t *testing.T) {
	conformance.Shows(t, "C22", "C32")
	producer, cluster := embedded(t)
	_, err := deliver(t, producer, "t", Record{})
	must(t, err)
	must(t, cluster.SetDelay(AllBrokers, produceAPI, time.Minute))
	var failed atomic.Int64
	for range 1000 {
		must(t, producer.TryProduce("t", Record{}, func(report Report) {
			if report.Err != nil {
				failed.Add(1)
			}
		}))
	}
	begun := time.Now()
	if err := producer.Flush(within(t, 50*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if producer.Len() != 1000 {
		t.Fatal(producer.Len())
	}
	if err := producer.Close(within(t, 50*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	if taken := time.Since(begun); taken > 30*time.Second || failed.Load() != 1000 {
		t.Fatal(taken, failed.Load())
	}
}

// Somebody closes while others wait.
func TestC36CloseWhileOthersWait(t *testing.T) {
	conformance.Shows(t, "C36")
	producer, cluster := embedded(t, "buffer.memory", "400000")
	_, err := deliver(t, producer, "t", Record{})
	must(t, err)
	must(t, cluster.SetDelay(AllBrokers, produceAPI, time.Minute))
	var waiting sync.WaitGroup
	for _, wait := range []func() error{
		func() error { return producer.Flush(context.Background()) },
		func() error {
			for {
				if _, err := producer.Produce(context.Background(), "t", Record{Value: make([]byte, 10_000)}); err != nil {
					return err
				}
			}
		},
		func() error { return producer.ProduceSync(context.Background(), "t", Record{}).FirstErr() },
	} {
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			if err := wait(); err != nil && !errors.Is(err, &Error{Code: CodeClosed}) && !errors.Is(err, &Error{Code: CodeAborted}) {
				t.Error(err)
			}
		}()
	}
	time.Sleep(100 * time.Millisecond)
	_ = producer.Close(within(t, 100*time.Millisecond))
	waiting.Wait()
}

// Promises that panic, wait and close, and what belongs to them.
func TestC40Promises(t *testing.T) {
	conformance.Shows(t, "C40", "C42", "C43")
	var lines bytes.Buffer
	producer, err := NewProducer(map[string]string{"test.mock.num.brokers": "1"},
		WithLogger(slog.New(slog.NewTextHandler(&lines, nil))))
	must(t, err)
	ctx := within(t, time.Minute)
	var called atomic.Int64
	answers := make(chan error, 10)
	own := new([1000]byte)
	freed := make(chan struct{})
	runtime.SetFinalizer(own, func(*[1000]byte) { close(freed) })
	for n := range 100 {
		must(t, producer.ProduceFunc(ctx, "t", Record{Partition: To(0)}, func(Report) {
			called.Add(1 + int64(own[0]))
			switch n {
			case 10:
				panic("of a promise")
			case 20:
				answers <- producer.Flush(context.Background())
				answers <- producer.Close(context.Background())
				future, err := producer.Produce(context.Background(), "t", Record{})
				if err == nil {
					_, err = future.Wait(context.Background())
				}
				answers <- err
			}
		}))
	}
	must(t, producer.Flush(ctx))
	for range 3 {
		wantCode(t, <-answers, CodeInCallback)
	}
	must(t, producer.Close(ctx))
	if called.Load() != 100 || !strings.Contains(lines.String(), "of a promise") {
		t.Fatal(called.Load(), lines.String())
	}
	own = nil
	for {
		runtime.GC()
		select {
		case <-freed:
			return
		case <-ctx.Done():
			t.Fatal("a promise is kept")
		case <-time.After(time.Millisecond):
		}
	}
}

type hook struct {
	seen, batches, records atomic.Int64
}

func (h *hook) OnRecordSend(topic string, record *Record) {
	h.seen.Add(1)
	record.Headers = append(record.Headers, Header{"topic", []byte(topic)})
}

func (h *hook) OnBatchReport(report BatchReport) {
	h.batches.Add(1)
	h.records.Add(int64(report.Count))
}

func TestHooks(t *testing.T) {
	var seen hook
	producer, err := NewProducer(map[string]string{"test.mock.num.brokers": "1", "linger.ms": "20"}, WithHooks(&seen))
	must(t, err)
	defer producer.Close(context.Background())
	records := make([]Record, 1000)
	for n := range records {
		records[n].Partition = To(0)
	}
	must(t, producer.ProduceSync(within(t, time.Minute), "t", records...).FirstErr())
	cluster, err := producer.MockCluster()
	must(t, err)
	stored, err := cluster.Records("t", 0)
	must(t, err)
	if len(stored) != 1000 || string(stored[0].Headers[0].Value) != "t" || seen.seen.Load() != 1000 ||
		seen.records.Load() != 1000 || seen.batches.Load() >= 1000 {
		t.Fatal(len(stored), seen.seen.Load(), seen.batches.Load(), seen.records.Load())
	}
}

// All memory comes back.
func TestC70Memory(t *testing.T) {
	conformance.Shows(t, "C70")
	producer, _ := embedded(t)
	ctx := within(t, time.Minute)
	for range 10_000 {
		must(t, producer.ProduceFunc(ctx, "t", Record{Value: make([]byte, 100)}, nil))
	}
	must(t, producer.Flush(ctx))
	metrics, err := producer.Metrics()
	must(t, err)
	if total := metrics["buffer-total-bytes"]; total == 0 || metrics["buffer-available-bytes"] != total {
		t.Fatal(total, metrics["buffer-available-bytes"])
	}
}

// A program that ends, or drops its producer, while records are on their way and goroutines wait.
func TestC81TheEnd(t *testing.T) {
	conformance.Shows(t, "C35", "C81")
	if os.Getenv("OTTLA_END") != "" {
		end()
	}
	for _, how := range []string{"exit", "panic", "return"} {
		ctx := within(t, time.Minute)
		command := exec.CommandContext(ctx, os.Args[0], "-test.run=TestC81TheEnd$")
		command.Env = append(os.Environ(), "OTTLA_END="+how)
		err := command.Run()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != map[string]int{"exit": 7, "panic": 2, "return": 8}[how] {
			t.Errorf("%s: %v", how, err)
		}
	}
}

// An interrupt that a program hears through its context ends every call that waits, at once.
func TestInterrupts(t *testing.T) {
	command := exec.CommandContext(within(t, time.Minute), os.Args[0], "-test.run=TestC81TheEnd$")
	command.Env = append(os.Environ(), "OTTLA_END=interrupt")
	out, err := command.StdoutPipe()
	must(t, err)
	must(t, command.Start())
	line := make([]byte, 8)
	if n, err := out.Read(line); err != nil || !strings.HasPrefix(string(line[:n]), "waiting") {
		t.Fatal(string(line), err)
	}
	begun := time.Now()
	must(t, command.Process.Signal(os.Interrupt))
	var exit *exec.ExitError
	if err := command.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 9 || time.Since(begun) > 30*time.Second {
		t.Fatal(err, time.Since(begun))
	}
}

// waitForInterrupt waits in four calls at a time, and exits with 9 when all of them have ended by the interrupt.
func waitForInterrupt(producer *Producer) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	future, _ := producer.Produce(ctx, "t", Record{})
	answers := make(chan error)
	go func() { answers <- producer.Flush(ctx) }()
	go func() { answers <- producer.ProduceSync(ctx, "t", Record{}).FirstErr() }()
	go func() {
		_, err := future.Wait(ctx)
		answers <- err
	}()
	go func() {
		for {
			if _, err := producer.Produce(ctx, "t", Record{Value: make([]byte, 100_000)}); err != nil {
				answers <- err
				return
			}
		}
	}()
	time.Sleep(50 * time.Millisecond)
	fmt.Println("waiting")
	for range 4 {
		if err := <-answers; !errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(9)
}

// Nothing can be used after close.
func TestC33AfterClose(t *testing.T) {
	conformance.Shows(t, "C33")
	producer, _ := embedded(t)
	must(t, producer.Close(context.Background()))
	ctx := within(t, time.Minute)
	_, metrics := producer.Metrics()
	_, cluster := producer.MockCluster()
	_, produced := producer.Produce(ctx, "t", Record{})
	for n, err := range []error{metrics, cluster, produced, producer.Ping(ctx), producer.Purge(true), producer.Flush(ctx),
		producer.TryProduce("t", Record{}, nil), producer.ProduceFunc(ctx, "t", Record{}, nil),
		producer.ProduceSync(ctx, "t", Record{Value: make([]byte, 100_000)}).FirstErr()} {
		if !errors.Is(err, &Error{Code: CodeClosed}) {
			t.Error(n, err)
		}
	}
	if producer.Len() != 0 {
		t.Error(producer.Len())
	}
}

func end() {
	producer, err := NewProducer(map[string]string{"test.mock.num.brokers": "1"})
	if err != nil {
		os.Exit(1)
	}
	cluster, _ := producer.MockCluster()
	_ = cluster.SetDelay(AllBrokers, produceAPI, time.Minute)
	if os.Getenv("OTTLA_END") == "interrupt" {
		waitForInterrupt(producer)
	}
	for range 10_000 {
		_ = producer.TryProduce("t", Record{Value: make([]byte, 100)}, nil)
	}
	go producer.Flush(context.Background())
	go producer.Close(context.Background())
	time.Sleep(20 * time.Millisecond)
	switch os.Getenv("OTTLA_END") {
	case "panic":
		panic("at the end")
	case "exit":
		os.Exit(7)
	}
	producer = nil
	runtime.GC()
	os.Exit(8)
}

// Error paths, over and over.
func TestC71ErrorPaths(t *testing.T) {
	conformance.Shows(t, "C71")
	producer, cluster := embedded(t, "buffer.memory", "400000", "linger.ms", "0")
	must(t, cluster.CreateTopic("one", 1, 1))
	_, err := deliver(t, producer, "one", Record{})
	must(t, err)
	ctx := within(t, time.Minute)
	refusals := make([]Code, 400)
	for n := range refusals {
		refusals[n] = CodeTopicAuthorizationFailed
	}
	paths := func(rounds int) {
		for range rounds {
			_, _ = NewProducer(map[string]string{"acks": "7"})
			_ = producer.TryProduce("no topic", Record{}, nil)
			must(t, cluster.PushErrors(produceAPI, CodeTopicAuthorizationFailed))
			reports := producer.ProduceSync(ctx, "one", Record{Partition: To(3)}, Record{Headers: []Header{{"\xff", nil}}},
				Record{Value: make([]byte, 2_000_000)}, Record{Value: []byte("x")})
			for n, report := range reports {
				if report.Err == nil {
					t.Fatal(n, "no error")
				}
			}
			canceled, cancel := context.WithCancel(ctx)
			cancel()
			_ = producer.Flush(canceled)
			must(t, producer.Purge(true))
		}
		must(t, producer.Flush(ctx))
	}
	paths(200)
	before := residentKiB(t)
	paths(1000)
	if grown := residentKiB(t) - before; grown > 8*1024 {
		t.Fatalf("%d KiB more", grown)
	}
}
