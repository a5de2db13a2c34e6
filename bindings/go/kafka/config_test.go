package kafka_test

import (
	"flag"
	"strings"
	"testing"

	"github.com/ottla-kafka/ottla/bindings/go/kafka"
)

type address struct{ host, port string }

func (a address) String() string { return a.host + ":" + a.port }

func TestConfigMap(t *testing.T) {
	config := kafka.ConfigMap{}
	must(t, config.SetKey("bootstrap.servers", address{"localhost", "9092"}))
	must(t, config.SetKey("{topic}.message.timeout.ms", 10))
	must(t, config.Set("client.id=a=b"))
	wantCode(t, config.Set("client.id:a"), kafka.ErrInvalidArg)
	var _ flag.Value = flagged{config}
	if value, err := config.Get("client.id", nil); err != nil || value != "a=b" {
		t.Fatal(value, err)
	}
	if value, err := config.Get("{topic}.message.timeout.ms", 1); err != nil || value != 10 {
		t.Fatal(value, err)
	}
	if value, err := config.Get("nothing", 3); err != nil || value != 3 {
		t.Fatal(value, err)
	}
	_, err := config.Get("client.id", 12)
	wantCode(t, err, kafka.ErrInvalidArg)
	before := len(config)
	producer := newProducer(t, config)
	if producer.Close(); len(config) != before {
		t.Fatal("the map of the caller was changed")
	}
}

type flagged struct{ kafka.ConfigMap }

func (f flagged) String() string { return "" }

func TestSettingsThatAreRefused(t *testing.T) {
	for text, config := range map[string]kafka.ConfigMap{
		`No such configuration property: "bootstrap.server"`:                  {"bootstrap.server": "a"},
		`Invalid value for configuration property "acks": 7`:                  {"acks": 7},
		`Invalid value for configuration property "socket.timeout.ms": 9`:     {"socket.timeout.ms": 9},
		`Invalid value type float64 for key acks (expected string,bool,int,C`: {"acks": 1.5},
		"go.delivery.reports expects type bool, not string":                   {"go.delivery.reports": "true"},
		"delivery.report.only.error=true":                                     {"delivery.report.only.error": true},
		"statistics.interval.ms":                                              {"statistics.interval.ms": 1000},
		"security.protocol":                                                   {"security.protocol": "ssl"},
		"Invalid type for key x":                                              {"x": kafka.ConfigMap{}},
	} {
		_, err := kafka.NewProducer(&config)
		if wantCode(t, err, kafka.ErrInvalidArg); !strings.Contains(err.Error(), text) {
			t.Errorf("%q does not say %q", err, text)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, pair := range [][2]string{
		{kafka.ErrQueueFull.String(), "Local: Queue full"},
		{kafka.ErrUnknownTopicOrPart.String(), "Broker: Unknown topic or partition"},
		{kafka.ErrorCode(-999).String(), "Err--999?"},
		{kafka.NewError(kafka.ErrFail, "", true).Error(), "Fatal error: Local: Communication failure with broker"},
		{kafka.Header{Key: "k"}.String(), "k=nil"},
		{kafka.Header{Key: "k", Value: []byte{}}.String(), "k=<empty>"},
		{kafka.Header{Key: "k", Value: []byte("a\x00")}.String(), `k="a\x00"`},
		{kafka.Header{Key: "k", Value: make([]byte, 70)}.String()[199:], `\x00"(20 more bytes)`},
		{kafka.TopicPartition{}.String(), "<null>[0]@0"},
		{kafka.OffsetTail(3).String(), "-2003"},
		{kafka.OffsetStored.String(), "stored"},
		{kafka.TimestampCreateTime.String(), "CreateTime"},
		{(&kafka.Message{}).String(), "[0]@0"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%q, not %q", pair[0], pair[1])
		}
	}
	for text, want := range map[interface{}]kafka.Offset{"earliest": -2, "latest": -1, "unset": -1001, "12": 12, 13: 13} {
		if offset, err := kafka.NewOffset(text); err != nil || offset != want {
			t.Error(text, offset, err)
		}
	}
	if _, err := kafka.NewOffset(1.5); err == nil {
		t.Error("no error")
	}
	if number, text := kafka.LibraryVersion(); number < 0x020f0000 || !strings.HasPrefix(text, "2.15.0") {
		t.Error(number, text)
	}
}
