// Command drop_in is a producer as users of confluent-kafka-go write it. Nothing in it knows of ottla: its go.mod
// replaces the module.
//
//	usage: drop_in BOOTSTRAP TOPIC
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"
)

const total = 1000

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintf(os.Stderr, "usage: %s BOOTSTRAP TOPIC\n", os.Args[0])
		os.Exit(1)
	}
	topic := os.Args[2]
	p, err := kafka.NewProducer(&kafka.ConfigMap{
		"bootstrap.servers":   os.Args[1],
		"client.id":           "drop-in",
		"acks":                "all",
		"linger.ms":           10,
		"go.delivery.reports": true,
	})
	if err != nil {
		fmt.Printf("Failed to create producer: %s\n", err)
		os.Exit(1)
	}
	sigchan := make(chan os.Signal, 1)
	signal.Notify(sigchan, syscall.SIGINT, syscall.SIGTERM)

	// The first message by its own channel.
	deliveryChan := make(chan kafka.Event)
	err = p.Produce(&kafka.Message{
		TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: 0},
		Key:            []byte("first"),
		Value:          []byte("Hello Go!"),
		Headers:        []kafka.Header{{Key: "myTestHeader", Value: []byte("header values are binary")}},
	}, deliveryChan)
	if err != nil {
		fmt.Printf("Produce failed: %v\n", err)
		os.Exit(1)
	}
	m := (<-deliveryChan).(*kafka.Message)
	if m.TopicPartition.Error != nil {
		fmt.Printf("Delivery failed: %v\n", m.TopicPartition.Error)
	} else {
		fmt.Printf("Delivered message to topic %s [%d] at offset %v\n",
			*m.TopicPartition.Topic, m.TopicPartition.Partition, m.TopicPartition.Offset)
	}
	close(deliveryChan)

	// The others by Events.
	done := make(chan int)
	go func() {
		delivered := 0
		for e := range p.Events() {
			switch ev := e.(type) {
			case *kafka.Message:
				if ev.TopicPartition.Error != nil {
					fmt.Printf("Failed to deliver message: %v\n", ev.TopicPartition)
				} else if delivered++; delivered%250 == 0 {
					fmt.Printf("Delivered %s with opaque %v to %v\n", ev.Value, ev.Opaque, ev.TopicPartition)
				}
				if delivered == total {
					done <- delivered
				}
			case kafka.Error:
				fmt.Printf("Error: %v\n", ev)
			default:
				fmt.Printf("Ignored event: %s\n", ev)
			}
		}
		close(done)
	}()
	for n := 0; n < total; {
		err := p.Produce(&kafka.Message{
			TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: 0},
			Value:          []byte(fmt.Sprintf("message %d", n)),
			Opaque:         n,
		}, nil)
		if err != nil {
			if err.(kafka.Error).Code() == kafka.ErrQueueFull {
				p.Flush(100)
				continue
			}
			fmt.Printf("Failed to produce message: %v\n", err)
			os.Exit(1)
		}
		n++
	}
	select {
	case count := <-done:
		fmt.Printf("%d delivered, %d left\n", count, p.Flush(15*1000))
	case sig := <-sigchan:
		fmt.Printf("Terminating on signal %v\n", sig)
	}
	metadata, err := p.GetMetadata(&topic, false, 10_000)
	if err != nil {
		fmt.Printf("No metadata: %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("%s has %d partitions\n", topic, len(metadata.Topics[topic].Partitions))
	p.Close()
	<-done
	fmt.Println(p.Produce(&kafka.Message{TopicPartition: kafka.TopicPartition{Topic: &topic}}, nil))
}
