package kafka

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/ottla-kafka/ottla/bindings/go/internal/native"
)

// ConfigValue is a bool, an int, a string, anything with String(), or (of "default.topic.config" only) a ConfigMap.
type ConfigValue interface{}

// ConfigMap holds settings by their names, which are librdkafka's or Kafka's, and the go.… settings of this package.
// The settings in the ConfigMap "default.topic.config" (deprecated) prevail over the others.
type ConfigMap map[string]ConfigValue

const (
	topicPrefix = "{topic}."
	topicConfig = "default.topic.config"
)

// SetKey sets a setting. A key that begins with "{topic}." goes into "default.topic.config" (deprecated).
func (m ConfigMap) SetKey(key string, value ConfigValue) error {
	name, ofTopic := strings.CutPrefix(key, topicPrefix)
	if !ofTopic {
		m[key] = value
		return nil
	}
	if _, there := m[topicConfig]; !there {
		m[topicConfig] = ConfigMap{}
	}
	inner, ok := m[topicConfig].(ConfigMap)
	if !ok {
		return wrongType(topicConfig)
	}
	inner[name] = value
	return nil
}

// Set sets a setting given as "key=value", so that a ConfigMap can be a flag.Value.
func (m ConfigMap) Set(kv string) error {
	key, value, found := strings.Cut(kv, "=")
	if !found {
		return Error{code: ErrInvalidArg, str: "Expected key=value"}
	}
	return m.SetKey(key, value)
}

// Get gives the value of a setting, or defval if it is not set. A value of another type than defval's (unless that is
// nil) is an ErrInvalidArg.
func (m ConfigMap) Get(key string, defval ConfigValue) (ConfigValue, error) {
	if name, ofTopic := strings.CutPrefix(key, topicPrefix); ofTopic {
		inner, there := m[topicConfig]
		if !there {
			return defval, nil
		}
		topics, ok := inner.(ConfigMap)
		if !ok {
			return nil, wrongType(topicConfig)
		}
		return topics.Get(name, defval)
	}
	value, there := m[key]
	if !there {
		return defval, nil
	}
	if defval != nil && reflect.TypeOf(defval) != reflect.TypeOf(value) {
		text := fmt.Sprintf("%s expects type %T, not %T", key, defval, value)
		return nil, Error{code: ErrInvalidArg, str: text}
	}
	return value, nil
}

func wrongType(key string) Error {
	return Error{code: ErrInvalidArg, str: fmt.Sprintf("Invalid type for key %s", key)}
}

// goConfig is what the go.… settings say.
type goConfig struct {
	deliveryReports         bool
	key, value, headers     bool
	eventsSize, produceSize int
	logsEnabled             bool
	logs                    chan LogEvent
}

const (
	// largestEvents is the default for go.events.channel.size here: what does not fit waits in a list, so that a
	// channel of a million, librdkafka's default, is not needed to keep others going.
	largestEvents  = 100_000
	largestProduce = 1_000_000
)

// read takes the go.… settings out of m, which is the producer's own copy.
func (m ConfigMap) read() (c goConfig, err error) {
	take := func(key string, defval ConfigValue) (value ConfigValue) {
		if err == nil {
			value, err = m.Get(key, defval)
			delete(m, key)
		}
		if err != nil {
			value = defval
		}
		return value
	}
	_ = take("go.batch.producer", false) // records cross into the library together anyway
	c.deliveryReports, _ = take("go.delivery.reports", true).(bool)
	fields, _ := take("go.delivery.report.fields", "key,value").(string)
	c.eventsSize, _ = take("go.events.channel.size", largestEvents).(int)
	c.produceSize, _ = take("go.produce.channel.size", largestProduce).(int)
	c.logsEnabled, _ = take("go.logs.channel.enable", false).(bool)
	if logs := take("go.logs.channel", nil); logs != nil && err == nil {
		var ok bool
		if c.logs, ok = logs.(chan LogEvent); !ok {
			err = wrongType("go.logs.channel")
		}
	}
	if err != nil {
		return c, err
	}
	if c.eventsSize < 0 || c.produceSize < 0 {
		return c, Error{code: ErrInvalidArg, str: "the size of a channel cannot be negative"}
	}
	return c, c.readFields(fields)
}

func (c *goConfig) readFields(fields string) error {
	switch fields {
	case "all":
		c.key, c.value, c.headers = true, true, true
		return nil
	case "", "none":
		return nil
	}
	for _, field := range strings.Split(fields, ",") {
		switch field {
		case "key":
			c.key = true
		case "value":
			c.value = true
		case "headers":
			c.headers = true
		default:
			return Error{code: ErrInvalidArg, str: "Unknown message field: " + field}
		}
	}
	return nil
}

// clone is a copy of m that can be changed; a nil map is an empty one.
func (m ConfigMap) clone() ConfigMap {
	copied := make(ConfigMap, len(m))
	for key, value := range m {
		copied[key] = value
	}
	return copied
}

// settings makes the library's settings of m, in librdkafka's order: debug first, topic settings last.
func (m ConfigMap) settings() (*native.Settings, error) {
	made, err := native.NewSettings()
	if err != nil {
		return nil, public(err)
	}
	all := map[string]ConfigValue{"compat": "librdkafka", "client.software.name": "ottla-go"}
	if err := set(made, all); err == nil {
		err = set(made, m)
		if inner, ok := m[topicConfig].(ConfigMap); ok && err == nil {
			err = set(made, inner)
		}
		if err == nil {
			return made, nil
		}
		made.Free()
		return nil, err
	}
	made.Free()
	return nil, err
}

func set(settings *native.Settings, values map[string]ConfigValue) error {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	if at := slices.Index(keys, "debug"); at > 0 {
		keys = slices.Insert(slices.Delete(keys, at, at+1), 0, "debug")
	}
	for _, key := range keys {
		if _, inner := values[key].(ConfigMap); inner {
			if key != topicConfig {
				return wrongType(key)
			}
			continue
		}
		text, err := text(key, values[key])
		if err != nil {
			return err
		}
		if err := settings.Set(key, text); err != nil {
			return refused(settings, key, text, err)
		}
	}
	return nil
}

// text is the value of a setting as the library reads it.
func text(key string, value ConfigValue) (string, error) {
	switch value := value.(type) {
	case bool:
		return fmt.Sprint(value), nil
	case int:
		return fmt.Sprint(value), nil
	case string:
		return value, nil
	case fmt.Stringer:
		return value.String(), nil
	}
	format := "Invalid value type %T for key %s (expected string,bool,int,ConfigMap)"
	return "", Error{code: ErrInvalidArg, str: fmt.Sprintf(format, value, key)}
}

// refused is the error for a setting that the library does not take, in the words that programs look for.
func refused(settings *native.Settings, key, value string, err error) error {
	failure, ok := err.(*native.Failure)
	if !ok {
		return err
	}
	if failure.Code == native.CodeConfig {
		if _, unknown := settings.Get(key); unknown != nil {
			return Error{code: ErrInvalidArg, str: fmt.Sprintf("No such configuration property: %q", key)}
		}
	}
	format := "Invalid value for configuration property %q: %s (%s)"
	return Error{code: ErrInvalidArg, str: fmt.Sprintf(format, key, value, failure.Message)}
}
