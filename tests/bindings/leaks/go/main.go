// Command leaks goes through every way in which a record or a call can fail, in both packages, round after round, and fails
// if anything grows.
//
//	usage: leaks [RECORDS]
//
// A round makes a cluster, producers and transactions of its own, and closes them. Compared are the least that Go's heap and
// the system (resident memory) have seen after the rounds of the second fifth and of the last one, and descriptors and goroutines.
//
// 10,009,289 records in 485 rounds (one malloc arena): heap 142,704 bytes, in the end 161,752 (16 KB of it are what the
// rounds saw); resident 13,742,080 bytes, in the end 13,881,344; 8 descriptors and 1 goroutine throughout.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/ottla-kafka/ottla/bindings/go"
	"github.com/ottla-kafka/ottla/bindings/go/kafka"
)

const produceAPI = 0

// In bytes, over the whole run.
const heapLimit, residentLimit = 256 << 10, 6 << 20

// round is one round; it counts the records that it had to do with.
type round struct {
	cluster *ottla.MockCluster
	records int
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fails wants an error.
func fails(err error) {
	if err == nil {
		panic("no error")
	}
}

func within(limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), limit)
}

// producer makes one of package ottla and ends it behind body, which is all of its life, in a limited time.
func (r *round) producer(settings map[string]string, limit time.Duration, body func(ctx context.Context, p *ottla.Producer)) {
	all := map[string]string{"bootstrap.servers": r.cluster.BootstrapServers(), "linger.ms": "1"}
	for name, value := range settings {
		all[name] = value
	}
	quiet := slog.New(slog.DiscardHandler)
	p, err := ottla.NewProducer(all, ottla.WithLogger(quiet))
	must(err)
	ctx, cancel := within(time.Minute)
	defer cancel()
	body(ctx, p)
	end, stop := within(limit)
	defer stop()
	_ = p.Close(end)
	fails(p.TryProduce("t", ottla.Record{}, nil))
}

func record() ottla.Record {
	return ottla.Record{Key: []byte("key"), Value: make([]byte, 100), Headers: []ottla.Header{{Key: "a", Value: []byte("b")}}}
}

func (r *round) send(ctx context.Context, p *ottla.Producer, count int, promise func(ottla.Report)) {
	for range count {
		must(p.ProduceFunc(ctx, "t", record(), promise))
	}
	r.records += count
}

func (r *round) refuse(count int) {
	codes := make([]ottla.Code, count)
	for i := range codes {
		codes[i] = ottla.CodeTopicAuthorizationFailed
	}
	must(r.cluster.PushErrors(produceAPI, codes...))
}

func (r *round) storedAndRefused() {
	r.producer(nil, time.Minute, func(ctx context.Context, p *ottla.Producer) {
		r.send(ctx, p, 8000, nil)
		must(p.Flush(ctx))
		r.refuse(10_000)
		var failed atomic.Int64
		r.send(ctx, p, 4000, func(report ottla.Report) {
			if report.Err != nil {
				failed.Add(1)
			}
		})
		must(p.Flush(ctx))
		if failed.Load() != 4000 {
			panic(failed.Load())
		}
		must(r.cluster.ClearFaults())
	})
}

func (r *round) noRoom() {
	must(r.cluster.SetDelay(ottla.AllBrokers, produceAPI, 30*time.Millisecond))
	for _, settings := range []map[string]string{{"queue.buffering.max.messages": "500"}, {"buffer.memory": "400000"}} {
		r.producer(settings, time.Minute, func(ctx context.Context, p *ottla.Producer) {
			for {
				r.records++
				if p.TryProduce("t", record(), nil) != nil {
					break
				}
			}
			r.send(ctx, p, 500, nil)
			short, cancel := within(time.Millisecond)
			defer cancel()
			for {
				r.records++
				if _, err := p.Produce(short, "t", record()); err != nil {
					break
				}
			}
		})
	}
	must(r.cluster.ClearFaults())
}

func (r *round) purged() {
	r.producer(map[string]string{"linger.ms": "60000"}, time.Minute, func(ctx context.Context, p *ottla.Producer) {
		r.send(ctx, p, 500, nil)
		must(p.Purge(true))
		must(p.Flush(ctx))
	})
	must(r.cluster.SetDelay(ottla.AllBrokers, produceAPI, time.Minute))
	r.producer(nil, 10*time.Millisecond, func(ctx context.Context, p *ottla.Producer) {
		r.send(ctx, p, 500, nil)
		short, cancel := within(20 * time.Millisecond)
		defer cancel()
		fails(p.Flush(short))
		must(p.Purge(true))
		r.send(ctx, p, 500, nil) // which the close fails
	})
	r.producer(map[string]string{"delivery.timeout.ms": "60", "request.timeout.ms": "50"}, time.Minute,
		func(ctx context.Context, p *ottla.Producer) { r.send(ctx, p, 500, nil) })
	must(r.cluster.ClearFaults())
}

func (r *round) wrong() {
	r.producer(map[string]string{"log_level": "0"}, time.Minute, func(ctx context.Context, p *ottla.Producer) {
		for range 30 {
			fails(p.TryProduce("no topic!", record(), nil))
			reports := p.ProduceSync(ctx, "t", ottla.Record{Partition: ottla.To(7)}, ottla.Record{Value: make([]byte, 2_000_000)},
				ottla.Record{Headers: []ottla.Header{{Key: "\xff"}}})
			for _, report := range reports {
				fails(report.Err)
			}
			fails(p.BeginTransaction())
			r.records += 4
		}
		// Promises that panic; the log says so.
		r.send(ctx, p, 200, func(ottla.Report) { panic("of a promise") })
		canceled, cancel := within(0)
		defer cancel()
		_, err := p.Produce(canceled, "t", record())
		fails(err)
	})
	for _, setting := range [][2]string{{"acks", "7"}, {"no.such.setting", "1"}, {"security.protocol", "ssl"}} {
		_, err := ottla.NewProducer(map[string]string{setting[0]: setting[1]})
		fails(err)
	}
	p, err := ottla.NewProducer(map[string]string{"bootstrap.servers": "127.0.0.1:1"}, ottla.WithLogger(slog.New(slog.DiscardHandler)))
	must(err)
	short, cancel := within(10 * time.Millisecond)
	defer cancel()
	fails(p.Ping(short))
	_ = p.Close(short)
}

func (r *round) transactions() {
	settings := map[string]string{"transactional.id": "shipper"}
	r.producer(settings, time.Minute, func(ctx context.Context, older *ottla.Producer) {
		must(older.InitTransactions(ctx))
		fails(older.TryProduce("t", record(), nil))
		must(older.BeginTransaction())
		must(r.cluster.PushPartitionErrors("t", 0, ottla.CodeInvalidRecord))
		for range 50 {
			r.records++
			_ = older.TryProduce("t", record(), nil) // the first is refused by the broker, and the others then perhaps by the call
		}
		fails(older.CommitTransaction(ctx))
		must(older.AbortTransaction(ctx))
		fails(older.Transact(ctx, func(ctx context.Context) error {
			r.send(ctx, older, 50, nil)
			return errors.New("given up")
		}))
		must(older.BeginTransaction())
		r.send(ctx, older, 50, nil)
		must(older.Flush(ctx))
		r.producer(settings, time.Minute, func(ctx context.Context, newer *ottla.Producer) {
			must(newer.InitTransactions(ctx))
			fails(older.CommitTransaction(ctx))
			fails(older.TryProduce("t", record(), nil))
			must(newer.BeginTransaction())
			r.send(ctx, newer, 50, nil)
		})
	})
}

// dropIn does in package kafka what it has of its own: channels that nobody reads, or that are closed, errors of Produce.
func (r *round) dropIn() {
	p, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": r.cluster.BootstrapServers(), "queue.buffering.max.messages": 1000,
		"go.events.channel.size": 10, "log_level": 0})
	must(err)
	topic := "t"
	message := func(opaque any) *kafka.Message {
		return &kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny}, Value: make([]byte, 100),
			Key: []byte("key"), Headers: []kafka.Header{{Key: "a", Value: []byte("b")}}, Opaque: opaque}
	}
	unread, closed := make(chan kafka.Event), make(chan kafka.Event, 10)
	for _, delivery := range []chan kafka.Event{nil, unread} {
		for {
			r.records++
			if err := p.Produce(message(r), delivery); err != nil {
				break
			}
		}
		fails(p.Produce(&kafka.Message{}, delivery))
		go func() {
			for range unread {
			}
		}()
		go func() {
			for range p.Events() {
			}
		}()
		if left := p.Flush(60_000); left != 0 {
			panic(left)
		}
	}
	p.Purge(7)
	for range 100 {
		must(p.Produce(message(nil), closed))
	}
	r.records += 100
	close(closed) // before its reports come, of which standard error is told
	p.Flush(60_000)
	close(unread)
	p.Close()
	fails(p.Produce(message(nil), nil))
}

func (r *round) run() int {
	var err error
	r.cluster, err = ottla.NewMockCluster(1)
	must(err)
	must(r.cluster.CreateTopic("t", 1, 1))
	for _, step := range []func(){r.storedAndRefused, r.noRoom, r.purged, r.wrong, r.transactions, r.dropIn} {
		step()
	}
	must(r.cluster.Close())
	return r.records
}

// seen gives bytes of the heap and of resident memory, descriptors and goroutines.
func seen() [4]int {
	debug.FreeOSMemory()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	text, err := os.ReadFile("/proc/self/statm")
	must(err)
	var size, resident int
	_, err = fmt.Sscan(string(text), &size, &resident)
	must(err)
	open, err := os.ReadDir("/proc/self/fd")
	must(err)
	return [4]int{int(stats.HeapAlloc), resident * os.Getpagesize(), len(open), runtime.NumGoroutine()}
}

func least(rounds [][4]int) [4]int {
	found := rounds[0]
	for _, round := range rounds {
		for i, value := range round {
			found[i] = min(found[i], value)
		}
	}
	return found
}

func main() {
	wanted := 300_000
	if len(os.Args) > 1 {
		var err error
		wanted, err = strconv.Atoi(os.Args[1])
		must(err)
	}
	begun, records := time.Now(), 0
	var rounds [][4]int
	for records < wanted || len(rounds) < 10 {
		records += (&round{}).run()
		rounds = append(rounds, seen())
	}
	fifth := len(rounds) / 5
	before, after := least(rounds[fifth:2*fifth]), least(rounds[len(rounds)-fifth:])
	failed := 0
	for i, limit := range []int{heapLimit, residentLimit, 0, 0} {
		name := []string{"bytes of the heap", "resident bytes", "descriptors", "goroutines"}[i]
		fmt.Printf("%s: %d, in the end %d\n", name, before[i], after[i])
		if after[i] > before[i]+limit {
			failed = 1
		}
	}
	fmt.Printf("%d records in %d rounds and %.0f s\n%d passed, %d failed\n", records, len(rounds), time.Since(begun).Seconds(),
		1-failed, failed)
	os.Exit(failed)
}
