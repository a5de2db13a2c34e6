package native

// #include "ottla.h"
import "C"

// Settings collects what a producer is made with. It must be freed.
type Settings struct{ handle *C.ottla_config_t }

// NewSettings makes settings that all have their defaults.
func NewSettings() (*Settings, error) {
	var handle *C.ottla_config_t
	if err := call(func() C.int32_t { return C.ottla_config_new(&handle) }); err != nil {
		return nil, err
	}
	return &Settings{handle}, nil
}

// Set sets one setting by its name in Kafka's or librdkafka's spelling.
func (s *Settings) Set(name, value string) error {
	key, keyLen := text(name)
	data, dataLen := text(value)
	return call(func() C.int32_t { return C.ottla_config_set(s.handle, key, keyLen, data, dataLen, nil) })
}

// Get gives the value of a setting, or its default.
func (s *Settings) Get(name string) (string, error) {
	key, keyLen := text(name)
	var size C.size_t
	err := call(func() C.int32_t { return C.ottla_config_get(s.handle, key, keyLen, nil, 0, &size) })
	if err != nil {
		return "", err
	}
	buffer := make([]byte, size+1)
	data, capacity := field(buffer)
	err = call(func() C.int32_t { return C.ottla_config_get(s.handle, key, keyLen, data, capacity, &size) })
	return string(buffer[:size]), err
}

// Free frees the settings; producers have copied them.
func (s *Settings) Free() { C.ottla_config_free(s.handle) }
